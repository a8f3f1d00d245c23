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

  // Once more, and the page is loaded anew before the server can be reached: what was written is still there.
  const context = ada.page.context();
  await context.setOffline(true);
  await ada.state("offline", "reconnecting");
  await ada.write("Before the reload");
  await ada.message("Before the reload", "sending").waitFor();
  await context.route("**/socket.io/**", (route) => route.abort("connectionrefused"));
  await context.setOffline(false);
  await ada.page.reload();
  await ada.state("connecting", "reconnecting");
  assert.equal(await ada.message("Before the reload", "sent").count(), 0);
  await context.unroute("**/socket.io/**");
  await ada.in("lobby");
  await grace.hears("Before the reload");
  await ada.message("Before the reload").waitFor();
  await until(async () => (await ada.texts()).filter((text) => text === "Before the reload").length, 1, "what was written before the reload");
  await grace.say("Got it");
  await ada.hears("Got it");
  assert.deepEqual((await grace.texts()).slice(all.length), ["Before the reload", "Got it"]);
});
