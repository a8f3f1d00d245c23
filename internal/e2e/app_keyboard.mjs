// Without a mouse: join, write, change rooms, leave.
import { assert, Person, test, until } from "./app_page.mjs";

await test(async (browser) => {
  const grace = await Person.join(browser, "Grace", "lobby");
  const ada = await Person.open(browser, "Ada");
  const { keyboard } = ada.page;
  /** Presses Tab until a control has the focus, and says how often it took. */
  const reach = async (control, key = "Tab") => {
    for (let n = 0; n < 60; n++) {
      if (await control.evaluate((e) => e === document.activeElement).catch(() => false)) {
        const ring = await control.evaluate((e) => e.matches(":focus-visible"));
        assert.ok(ring, "what has the focus can be seen");
        return n;
      }
      await keyboard.press(key);
    }
    throw new Error(`${control} cannot be reached with the keyboard`);
  };

  const name = ada.page.getByRole("textbox", { name: "Your name" });
  await name.waitFor();
  await reach(name);
  await keyboard.type("Ada");
  const room = ada.page.getByRole("textbox", { name: "Room", exact: true });
  await reach(room);
  await keyboard.press("ControlOrMeta+a");
  await keyboard.type("lobby");
  await keyboard.press("Enter");
  await ada.in("lobby");

  await reach(ada.composer);
  await keyboard.type("Hello");
  await keyboard.press("Shift+Enter");
  await keyboard.type("from the keys");
  await keyboard.press("Enter");
  await until(() => grace.texts(), ["Hello\nfrom the keys"], "what Grace reads");

  await reach(ada.page.getByRole("button", { name: "Join a room" }), "Shift+Tab");
  await keyboard.press("Enter");
  await ada.typeRoom("garden");
  await ada.in("garden");
  await reach(ada.room("lobby"), "Shift+Tab");
  await keyboard.press("Enter");
  await ada.message("Hello\nfrom the keys").waitFor();

  await reach(ada.person("Grace").getByRole("button", { name: "Message Grace" }));
  await keyboard.press("Enter");
  await reach(ada.composer);
  await keyboard.type("Just you");
  await keyboard.press("Enter");
  await grace.room("Ada").waitFor();

  await reach(ada.page.getByRole("button", { name: "Sign out" }), "Shift+Tab");
  await keyboard.press("Enter");
  await name.waitFor();
  await until(() => grace.people.getByRole("listitem").count(), 1, "who Grace sees");
});
