// A server that wants tokens: a wrong one, an expired one, one that is refreshed, and one that is not.
import { assert, control, given, Person, test, until } from "./app_page.mjs";

const token = (flags) => control("token", JSON.stringify(flags));

await test(async (browser) => {
  const ada = await Person.open(browser, "Ada");
  const enter = async (secret) => {
    await ada.useToken(secret);
    await ada.page.getByRole("textbox", { name: "Room", exact: true }).fill("vault");
    await ada.page.getByRole("button", { name: "Join", exact: true }).click();
  };

  // Refused, and why: without a reload in between, and without a look at the network for the good one at the end.
  await enter("not.a.token");
  await ada.state("refused");
  await ada.page.getByText(/not accepted|invalid|not valid/i).first().waitFor();
  await enter(given.forged);
  await ada.state("refused");
  await enter(await token(["--sub=ada", "--name=Ada", "--expires=-1h"]));
  await ada.state("refused");
  await ada.page.getByText(/expired/i).first().waitFor();
  await enter(await token(["--sub=ada", "--name=Ada Lovelace"]));
  await ada.in("vault");
  await ada.transport("websocket");
  await ada.person("Ada Lovelace").waitFor();

  // One that ends soon. The page says so, takes a new one, and goes on over the same connection.
  const grace = await Person.open(browser, "Grace");
  await grace.useToken(await token(["--sub=grace", "--name=Grace", "--expires=4s"]));
  await grace.login("", "vault");
  await grace.transport("websocket");
  await ada.person("Grace").waitFor();
  await ada.say("Before");
  await grace.hears("Before");
  const fresh = await token(["--sub=grace", "--name=Grace", "--expires=1h"]); // at hand, as the leeway is short
  const field = grace.page.getByRole("textbox", { name: /token/i });
  await field.waitFor();
  await grace.composer.fill("a draft");
  const opened = grace.sockets.length;
  await field.fill(fresh);
  await field.press("Enter");
  await field.waitFor({ state: "hidden" });
  assert.equal(await grace.composer.inputValue(), "a draft");

  // One that ends, and nobody does anything about it: out, and why. A new one lets in again.
  const joan = await Person.open(browser, "Joan");
  await joan.useToken(await token(["--sub=joan", "--name=Joan", "--expires=2s"]));
  await joan.login("", "vault");
  await ada.person("Joan").waitFor();
  await joan.state("refused", "disconnected");
  await joan.page.getByText(/expired/i).first().waitFor();
  await ada.person("Joan").waitFor({ state: "hidden" });

  // By now Grace's first token is over, with its leeway.
  await grace.composer.press("Enter");
  await ada.hears("a draft");
  assert.equal(grace.sockets.length, opened, "a refresh needs no new connection");
  await grace.state("connected");

  const again = joan.page.getByRole("textbox", { name: /token/i });
  if (!(await again.isVisible())) await joan.page.getByRole("button", { name: /sign in/i }).first().click();
  await again.fill(await token(["--sub=joan", "--name=Joan", "--expires=1h"]));
  await again.press("Enter");
  await joan.state("connected");
  await ada.person("Joan").waitFor();
  await until(() => joan.room("vault").count(), 1, "Joan's room");
  await joan.say("Back");
  await ada.hears("Back");
});
