// Two people: who is there, who types, what they say, and what they miss.
import { assert, Person, test, until } from "./app_page.mjs";

await test(async (browser) => {
  const ada = await Person.join(browser, "Ada", "tea room");
  const grace = await Person.join(browser, "Grace", "tea room");
  for (const one of [ada, grace]) {
    await one.transport("websocket");
    await one.person("Ada").waitFor();
    await one.person("Grace").waitFor();
  }

  await ada.composer.pressSequentially("Hel");
  await grace.typing.filter({ hasText: "Ada" }).waitFor();
  await ada.write("Hello Grace");
  await grace.hears("Hello Grace");
  await grace.typing.filter({ hasText: "Ada" }).waitFor({ state: "hidden" });
  assert.equal(await grace.message("Hello Grace").locator(".author").textContent(), "Ada");

  const markup = `<img src=x onerror="document.title='no'"> <b>bold</b> & <script>alert(1)</script> https://example.com/a`;
  await grace.say(markup);
  await ada.hears(markup);
  for (const one of [ada, grace]) {
    assert.equal(await one.log.locator("img, b, script").count(), 0, "markup in a message is text");
    assert.deepEqual(await one.texts(), ["Hello Grace", markup]);
  }

  const status = grace.page.getByRole("combobox", { name: "Your status" });
  await status.selectOption("away");
  await ada.people.locator("[data-status=away]").filter({ hasText: "Grace" }).waitFor();
  await status.selectOption("online");
  await ada.people.locator("[data-status=online]").filter({ hasText: "Grace" }).waitFor();

  // What is said elsewhere is counted, in the list of rooms and in the title.
  const plain = await ada.page.title();
  await ada.joinRoom("garden");
  await grace.say("Are you there?");
  await grace.say("Ada?");
  await until(() => ada.room("tea room").locator(".unread").textContent(), (n) => /^\D*2\D*$/.test(n), "the unread count");
  await until(() => ada.page.title(), (title) => title.includes("2"), "the title");
  await ada.room("tea room").click();
  await ada.hears("Ada?");
  await until(() => ada.room("tea room").locator(".unread").count(), 0, "the unread count");
  await until(() => ada.page.title(), (title) => !/\d/.test(title) && title !== "" && plain !== "", "the title");

  await grace.page.close();
  await until(() => ada.people.getByRole("listitem").count(), 1, "who is there");
});
