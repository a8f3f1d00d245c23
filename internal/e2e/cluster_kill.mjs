// An instance dies under its people. Who can comes back on the other; who does not is out of the list within ten
// seconds; and nothing that anybody has written is lost or doubled.
import { assert, control, given, NETWORK, Person, test, until } from "./app_page.mjs";

const enter = async (browser, name, url) => {
  const person = await Person.open(browser, name, { url, expect: NETWORK });
  await person.useToken(await control("token", name));
  await person.login("", "lobby");
  return person;
};
const listed = (one) => one.people.getByRole("listitem").evaluateAll((all) => all.map((li) => li.dataset.user).sort());
const WITHIN = 10_000;

await test(async (browser) => {
  const ada = await enter(browser, "Ada", given.balancer); // on the first, and then on the other
  const grace = await enter(browser, "Grace", given.other);
  const linus = await enter(browser, "Linus", given.url); // on the first, and that is all he knows
  for (const one of [ada, grace, linus]) await until(() => listed(one), ["id-of-Ada", "id-of-Grace", "id-of-Linus"], `whom ${one.name} sees`);

  const written = { Ada: [], Grace: [] };
  const write = async (one, n) => {
    for (let i = 0; i < n; i++) {
      const text = `${one.name} ${written[one.name].length + 1}`;
      written[one.name].push(text);
      await one.write(text);
    }
  };
  await Promise.all([ada, grace].map((one) => write(one, 5)));
  // The moment of the end: both are writing before, while and after.
  await Promise.all([...[ada, grace].map((one) => write(one, 6)), control("kill")]);
  const killed = Date.now();
  await linus.state("reconnecting");
  await Promise.all([ada, grace].map((one) => write(one, 4)));
  await ada.in("lobby");
  await ada.transport("websocket");

  await until(() => listed(grace), ["id-of-Ada", "id-of-Grace"], "whom Grace sees");
  const took = Date.now() - killed;
  assert.ok(took < WITHIN, `Linus is in the list for ${took} ms`);
  await until(() => listed(ada), ["id-of-Ada", "id-of-Grace"], "whom Ada sees");

  const unsent = async (one) => (await one.shown()).filter(([, state]) => state !== "sent" && state !== "received").length;
  for (const one of [ada, grace]) await until(() => unsent(one), 0, `what ${one.name} has not sent`);
  await ada.say("Ada is back");
  await grace.say("Grace was here");

  // What the chat has is what was written, once, and in the order of who wrote it.
  const late = await enter(browser, "Late", given.other);
  const history = await until(() => late.texts(), (texts) => texts.at(-1) === "Grace was here", "the history");
  assert.deepEqual([...history].sort(), [...written.Ada, ...written.Grace, "Ada is back", "Grace was here"].sort());
  for (const name of ["Ada", "Grace"]) {
    assert.deepEqual(history.filter((text) => text.startsWith(`${name} `) && /\d$/.test(text)), written[name]);
  }
  // So has who came back.
  await until(() => ada.texts(), history, "what Ada sees");
  // Who has stayed sees nothing twice, or in another order. What the dead instance had taken and not yet told the
  // others is in the history alone.
  const seen = await until(() => grace.texts(), (texts) => texts.at(-1) === "Grace was here", "what Grace sees");
  assert.deepEqual(seen, history.filter((text) => seen.includes(text)));
  for (const text of written.Grace) assert.ok(seen.includes(text), `Grace does not see ${text}`);
});
