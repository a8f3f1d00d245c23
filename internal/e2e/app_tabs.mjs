// One user in two tabs: once in the list, and what is written in one is in the other.
import { assert, control, given, Person, test, until } from "./app_page.mjs";

const signIn = async (person, sub, name) => {
  await person.useToken(await control("token", JSON.stringify([`--sub=${sub}`, `--name=${name}`])));
  await person.login("", "lobby");
};

await test(async (browser) => {
  const ada = await Person.open(browser, "Ada");
  await signIn(ada, "ada", "Ada");
  const other = await Person.open(browser, "Ada's other tab", { context: ada.page.context() });
  await signIn(other, "ada", "Ada");
  const grace = await Person.open(browser, "Grace");
  await signIn(grace, "grace", "Grace");
  for (const one of [ada, other, grace]) {
    await one.person("Grace").waitFor();
    await until(() => one.people.getByRole("listitem").count(), 2, `who ${one.name} sees`);
  }

  await ada.write("From one tab");
  await grace.hears("From one tab");
  await other.message("From one tab").waitFor();
  await other.write("From the other");
  await ada.message("From the other").waitFor();
  await grace.hears("From the other");

  await grace.person("Ada").getByRole("button", { name: "Message Ada" }).click();
  await grace.say("To both");
  for (const one of [ada, other]) {
    await one.room("Grace").click();
    await one.hears("To both");
  }

  // The other tab goes, Ada does not.
  await other.page.close();
  await grace.room("lobby").click();
  await ada.room("lobby").click();
  await ada.say("Still here");
  await grace.hears("Still here");
  assert.equal(await grace.people.getByRole("listitem").count(), 2);
  await ada.page.close();
  await until(() => grace.people.getByRole("listitem").count(), 1, "who Grace sees");
});
