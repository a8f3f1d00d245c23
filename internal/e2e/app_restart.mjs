// The server is stopped and started again under two people who go on writing. Nothing is lost, nothing doubled.
import { assert, control, NETWORK, Person, test, until } from "./app_page.mjs";

const EACH = 20;

await test(async (browser) => {
  const ada = await Person.join(browser, "Ada", "lobby", { expect: NETWORK });
  const grace = await Person.join(browser, "Grace", "lobby", { expect: NETWORK });
  const both = [ada, grace];
  const written = { Ada: [], Grace: [] };
  const write = async (one, n) => {
    for (let i = 0; i < n; i++) {
      const text = `${one.name} ${written[one.name].length + 1}`;
      written[one.name].push(text);
      await one.write(text);
    }
  };

  await Promise.all(both.map((one) => write(one, 5)));
  // The moment of the stop: both are writing before, while and after the server hears of it.
  await Promise.all([...both.map((one) => write(one, 8)), control("stop")]);
  await Promise.all(both.map((one) => one.state("reconnecting")));
  await Promise.all(both.map((one) => write(one, EACH - written[one.name].length)));
  assert.equal(await control("running"), "false");

  await control("start");
  await Promise.all(both.map((one) => one.in("lobby")));
  const all = [...written.Ada, ...written.Grace].sort();
  for (const one of both) {
    await until(async () => (await one.texts()).sort(), all, `what ${one.name} sees`);
    await until(async () => (await one.shown()).filter(([, state]) => state !== "sent" && state !== "received").length, 0, "unsent");
    await one.person("Ada").waitFor();
    await one.person("Grace").waitFor();
  }
  const shown = await ada.shown();
  assert.deepEqual(await grace.texts(), await ada.texts(), "the order");
  assert.equal(new Set(shown.map(([id]) => id)).size, 2 * EACH, "each has an id of its own");

  // Each one's own are in the order in which they were written.
  for (const one of both) {
    assert.deepEqual((await ada.texts()).filter((text) => text.startsWith(one.name)), written[one.name]);
  }

  // The server's history, as somebody who comes now reads it, is the end of that: what it has accepted since.
  const late = await Person.join(browser, "Late", "lobby");
  const history = await until(() => late.texts(), (texts) => texts.length > 0, "the history");
  assert.deepEqual(history, (await ada.texts()).slice(-history.length));
  for (const one of both) assert.ok(history.includes(written[one.name].at(-1)), "the history has what was written last");

  // And they go on.
  await ada.say("Welcome back");
  for (const one of [grace, late]) await one.hears("Welcome back");
});
