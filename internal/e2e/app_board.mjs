// The board: others' cursors, live, with their names.
import { assert, Person, test, until } from "./app_page.mjs";

await test(async (browser) => {
  const ada = await Person.join(browser, "Ada", "lobby");
  const grace = await Person.join(browser, "Grace", "lobby");
  await grace.person("Ada").waitFor();
  const cursor = grace.board.locator(".cursor[data-user]");
  const box = await ada.board.boundingBox();
  const at = (x, y) => [box.x + x * box.width, box.y + y * box.height];

  // A cursor may be dropped on its way, so it moves until it is seen.
  let turn = 0;
  await until(async () => {
    turn++;
    await ada.page.mouse.move(...at(0.3 + (turn % 10) / 100, 0.5));
    return cursor.filter({ hasText: "Ada" }).count();
  }, 1, "Ada's cursor");
  const first = await cursor.boundingBox();
  await until(async () => {
    turn++;
    await ada.page.mouse.move(...at(0.8 + (turn % 10) / 100, 0.5));
    const now = await cursor.boundingBox();
    return now !== null && now.x > first.x + 0.2 * box.width;
  }, true, "Ada's cursor to have moved");
  assert.equal(await ada.board.locator(".cursor[data-user]").filter({ hasText: "Ada" }).count(), 0, "one's own is not shown");
  await cursor.waitFor({ state: "detached" }); // it fades when it rests
});
