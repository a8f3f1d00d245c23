// Messages between two, which a third does not see, and a user with two tabs.
import { assert, Person, test, until } from "./app_page.mjs";

await test(async (browser) => {
  const ada = await Person.join(browser, "Ada", "lobby");
  const grace = await Person.join(browser, "Grace", "lobby");
  const eve = await Person.join(browser, "Eve", "lobby");

  await ada.person("Grace").getByRole("button", { name: "Message Grace" }).click();
  await ada.say("Between us");
  const unread = grace.room("Ada");
  await unread.waitFor();
  await until(() => unread.locator(".unread").textContent(), (n) => /^\D*1\D*$/.test(n), "the unread count");
  await unread.click();
  await grace.hears("Between us");
  await grace.say("Of course");
  await ada.hears("Of course");
  assert.deepEqual(await ada.texts(), ["Between us", "Of course"]);

  await grace.room("lobby").click();
  await grace.say("Hello all");
  await eve.hears("Hello all");
  assert.deepEqual(await eve.texts(), ["Hello all"]);
  assert.equal(await eve.room("Ada").count(), 0);
  assert.equal(await eve.room("Grace").count(), 0);
});
