// A long conversation: the newest first, the rest as one scrolls up, and where one was stays where it is.
import { assert, given, Person, test, until } from "./app_page.mjs";

const { io } = (await import("node:module")).createRequire(`${given.modules}/`)("socket.io-client");

await test(async (browser) => {
  // Somebody has said a lot.
  const texts = Array.from({ length: 150 }, (_, i) => `number ${i + 1}`);
  const socket = io(`${given.url.replace(/\/$/, "")}/chat`, { auth: { username: "Hopper" }, transports: ["websocket"] });
  try {
    await socket.timeout(10_000).emitWithAck("join", "archive");
    for (const content of texts) {
      const reply = await socket.timeout(10_000).emitWithAck("message", { room: "archive", content });
      assert.ok(reply.ok, JSON.stringify(reply));
    }
  } finally {
    socket.close();
  }

  const ada = await Person.join(browser, "Ada", "archive");
  await ada.message("number 150").waitFor();
  const shown = await ada.texts();
  assert.deepEqual(shown, texts.slice(-shown.length), "the newest");

  const top = ada.messages.first();
  let before = shown.length;
  while (before < texts.length) {
    const first = await top.locator(".body").textContent();
    await top.scrollIntoViewIfNeeded();
    await ada.log.hover();
    await ada.page.mouse.wheel(0, -500);
    await until(async () => (await ada.messages.count()) > before, true, "older messages");
    // What was at the top is still in view.
    const box = await ada.message(first).boundingBox();
    const view = await ada.log.boundingBox();
    assert.ok(box.y + box.height >= view.y - 5 && box.y <= view.y + view.height, `${first} is at ${box.y}, the view at ${view.y} to ${view.y + view.height}`);
    before = await ada.messages.count();
  }
  assert.deepEqual(await ada.texts(), texts);
});
