// Two people on two instances: it is one chat, by WebSocket and by polling.
import { assert, control, given, Person, test, until } from "./app_page.mjs";

const enter = async (browser, name, url) => {
  const person = await Person.open(browser, name, { url });
  await person.useToken(await control("token", name));
  await person.login("", "tea room");
  return person;
};
const listed = (one) => one.people.getByRole("listitem").evaluateAll((all) => all.map((li) => `${li.dataset.user} ${li.dataset.status}`).sort());

await test(async (browser) => {
  const ada = await enter(browser, "Ada", given.url);
  const grace = await enter(browser, "Grace", given.other);
  const linus = await enter(browser, "Linus", `${given.other}?transport=polling`);
  const all = [ada, grace, linus];
  for (const one of [ada, grace]) await one.transport("websocket");
  await linus.transport("polling");
  for (const one of all) await until(() => listed(one), ["id-of-Ada online", "id-of-Grace online", "id-of-Linus online"], `whom ${one.name} sees`);

  await ada.composer.pressSequentially("Hel");
  for (const one of [grace, linus]) await one.typing.filter({ hasText: "Ada" }).waitFor();
  await ada.write("Hello");
  for (const one of [grace, linus]) await one.hears("Hello");
  for (const one of all) await one.say(`from ${one.name}`);
  const texts = ["Hello", ...all.map((one) => `from ${one.name}`)];
  for (const one of all) await until(() => one.texts(), texts, `what ${one.name} sees`);

  await grace.page.getByRole("combobox", { name: "Your status" }).selectOption("away");
  for (const one of all) await until(() => listed(one), ["id-of-Ada online", "id-of-Grace away", "id-of-Linus online"], `whom ${one.name} sees`);

  await ada.page.getByLabel("Attach a file").setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("for all") });
  for (const one of [grace, linus]) await one.log.getByRole("link", { name: /a\.txt/ }).waitFor();

  await ada.person("Grace").getByRole("button", { name: "Message Grace" }).click();
  await ada.say("Just for you");
  await grace.room("Ada").click();
  await grace.hears("Just for you");
  assert.equal(await linus.room("Ada").count(), 0, "nobody else has it");

  // A second tab, on the other instance: the same user, once in the list.
  const again = await enter(browser, "Ada", given.other);
  await until(() => again.texts(), texts, "the history");
  await until(() => listed(linus), ["id-of-Ada online", "id-of-Grace away", "id-of-Linus online"]);
  await ada.page.close();
  await again.say("still here");
  await linus.hears("still here");
  await until(() => listed(linus), ["id-of-Ada online", "id-of-Grace away", "id-of-Linus online"]);
  await again.page.close();
  await until(() => listed(linus), ["id-of-Grace away", "id-of-Linus online"]);
});
