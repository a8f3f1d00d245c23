// The page under other settings: of the server, and of its own form.
import { Admin, adminTest, assert, client, given, modules, until } from "./admin_page.mjs";

const parser = modules("socket.io-msgpack-parser");

await adminTest(async (browser) => {
  await Promise.all([elsewhere(browser), numbers(browser), open(browser), msgpack(browser)]);
});

/** Another path, another namespace, WebSocket only, and nothing to change. */
async function elsewhere(browser) {
  const { url, path } = given.elsewhere;
  const ada = await client("/", { url, path, transports: ["websocket"] });
  const admin = await Admin.open(browser, { url });
  await until(() => admin.refusals(), 1, "refusals");
  await admin.dialog.getByText("Advanced options").click();
  assert.equal(await admin.dialog.getByLabel("Admin namespace").inputValue(), "/ops");
  assert.equal(await admin.dialog.getByLabel("Path").inputValue(), path);
  await admin.dialog.getByText("WebSocket only?").click();
  admin.transports.clear();
  await admin.login(given.user, given.password);
  assert.deepEqual([...admin.transports], ["websocket"]);
  await admin.go("Sockets");
  await admin.rows(1, ada.id);
  assert.equal(await admin.row(ada.id).locator("button").count(), 0, "buttons of who may only look");

  // What is filled in anew leaves what somebody has chosen.
  admin.transports.clear();
  await admin.page.goto(`${url}admin`);
  await admin.connected();
  assert.deepEqual([...admin.transports], ["websocket"]);
}

/** A token for a password, and numbers alone. */
async function numbers(browser) {
  const { url, token, other } = given.numbers;
  const ada = await client("/", { url, transports: ["websocket"], auth: { token } });
  const admin = await Admin.open(browser, { url });
  await admin.login("", other, { refused: true });
  await admin.login("", token);
  assert.deepEqual(await admin.menu(), ["Dashboard", "Servers"]);
  await until(() => admin.number("WebSocket"), 2, "clients on WebSocket");
  assert.ok(!admin.received.some((packet) => packet.includes(ada.id)), "the page is told of sockets");
}

/** Everybody is an administrator: there is nothing to fill in. */
async function open(browser) {
  const admin = await Admin.open(browser, given.open);
  await admin.connected();
  assert.equal(admin.refusals(), 0);
}

/** A server that speaks MessagePack. */
async function msgpack(browser) {
  const { url } = given.msgpack;
  const ada = await client("/", { url, transports: ["websocket"], parser });
  const admin = await Admin.open(browser, { url });
  await admin.login(given.user, given.password);
  await admin.go("Events");
  ada.emit("wave", { to: "all" }, Buffer.from([1, 2, 3]));
  await admin.row(ada.id, "Event received", "wave").first().waitFor();
  await admin.go("Sockets");
  await admin.press(admin.row(ada.id), "logout");
  await until(() => ada.reasons, ["io server disconnect"], "the end of the socket");
}
