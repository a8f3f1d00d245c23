// What a machine can check of how accessible the login and the chat are, light and dark.
import { readFile } from "node:fs/promises";
import { assert, modules, Person, test } from "./app_page.mjs";

const axe = await readFile(modules.resolve("axe-core/axe.min.js"), "utf8");

async function check(person, where) {
  await person.page.evaluate(axe); // not a script of the page: its policy would not have it
  const { violations } = await person.page.evaluate(() => window.axe.run());
  const serious = violations.filter((v) => v.impact === "serious" || v.impact === "critical");
  assert.deepEqual(
    serious.map((v) => `${where}: ${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.html} (${n.any.map((a) => a.message).join("; ")})`).join(", ")}`),
    [],
  );
}

await test(async (browser) => {
  for (const colorScheme of ["light", "dark"]) {
    for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
      const where = `${colorScheme}, ${viewport.width} pixels`;
      const ada = await Person.open(browser, "Ada", { colorScheme, viewport, reducedMotion: "reduce" });
      await ada.page.getByRole("textbox", { name: "Your name" }).waitFor();
      await check(ada, `login, ${where}`);
      await ada.login("Ada", `room ${where}`);
      const grace = await Person.join(browser, "Grace", `room ${where}`);
      await grace.say("Hello Ada, see https://example.com/");
      await ada.hears("Hello Ada, see https://example.com/");
      await ada.say("Hello Grace");
      await grace.composer.pressSequentially("I");
      await check(ada, `chat, ${where}`);
      await ada.page.context().close();
      await grace.page.context().close();
    }
  }
});
