// Where WebSocket is blocked everything works by polling, and the page says so.
import { assert, given, Person, test } from "./app_page.mjs";

await test(async (browser) => {
  const blocked = { url: given.proxy, expect: /WebSocket connection to .* failed/ };
  const ada = await Person.join(browser, "Ada", "office", blocked);
  const grace = await Person.join(browser, "Grace", "office", { url: `${given.url}?transport=polling` }); // by choice
  for (const one of [ada, grace]) {
    await one.transport("polling");
    await one.person("Ada").waitFor();
    await one.person("Grace").waitFor();
  }
  await ada.composer.pressSequentially("Hi");
  await grace.typing.filter({ hasText: "Ada" }).waitFor();
  await ada.say("Hi Grace");
  await grace.hears("Hi Grace");
  const texts = Array.from({ length: 10 }, (_, i) => `number ${i}`);
  for (const text of texts) await grace.write(text);
  for (const text of texts) await ada.hears(text);
  assert.deepEqual(await ada.texts(), ["Hi Grace", ...texts]);

  await ada.page.getByLabel("Attach a file").setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("by polling") });
  await grace.log.getByRole("link", { name: /a\.txt/ }).waitFor();
  for (const one of [ada, grace]) await one.transport("polling");
  assert.equal(grace.sockets.length, 0, "who wants polling opens no WebSocket");
});
