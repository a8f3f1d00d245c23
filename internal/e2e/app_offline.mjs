// Without a network what is written waits, also over a reload, and is sent once.
import { assert, NETWORK, Person, test, until } from "./app_page.mjs";

const expect = new RegExp(`${NETWORK.source}|ERR_INTERNET_DISCONNECTED|ERR_NETWORK_CHANGED|ERR_NETWORK_IO_SUSPENDED`);

await test(async (browser) => {
  const ada = await Person.join(browser, "Ada", "lobby", { expect });
  const grace = await Person.join(browser, "Grace", "lobby");
  await ada.say("Online");
  await grace.hears("Online");

  await ada.page.context().setOffline(true);
  await ada.state("offline", "reconnecting");
  const texts = ["On the train", "In the tunnel", "Still"];
  for (const text of texts) await ada.write(text);
  for (const text of texts) await ada.message(text, "sending").waitFor();
  await grace.say("Where are you?");

  await ada.page.context().setOffline(false);
  await ada.in("lobby");
  for (const text of texts) {
    await ada.message(text, "sent").waitFor();
    await grace.hears(text);
  }
  await ada.hears("Where are you?");
  const all = await grace.texts();
  assert.deepEqual(all, ["Online", "Where are you?", ...texts]);
  await until(() => ada.texts(), all, "what Ada sees");
});
