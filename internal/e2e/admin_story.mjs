// An administrator logs in, looks at all there is, and moves and disconnects sockets, with npm's page as it is.
import { Admin, adminTest, api, assert, client, given, until } from "./admin_page.mjs";

await adminTest(async (browser) => {
  const ada = await client("/", { transports: ["websocket"], query: { token: "s3cret-token", x: "1" }, extraHeaders: { cookie: "s3cret=cookie" } });
  const adaChat = await client("/chat", { manager: ada.io });
  const grace = await client("/", { transports: ["polling"] });
  for (const socket of [ada, grace]) assert.ok((await socket.emitWithAck("join", "tea")).ok);
  const rooms = (socket) => api(`sockets/${socket.id}`).then((s) => s.rooms.filter((room) => room !== socket.id && !room.startsWith("user")).sort());

  const admin = await Admin.open(browser);
  assert.equal(await admin.dialog.getByLabel("Server URL").inputValue(), new URL(given.url).origin);
  await admin.login(given.user, "not the password", { refused: true });
  await admin.login("nobody", given.password, { refused: true });
  await admin.login(given.user, given.password);
  const session = await until(() => admin.stored("session_id"), (id) => id?.length >= 16, "the session");
  await admin.page.reload();
  await admin.connected();
  assert.equal(await admin.stored("session_id"), session, "the session after a reload");
  assert.deepEqual([...admin.transports].sort(), ["polling", "websocket"]);

  // The six pages.
  assert.deepEqual(await admin.menu(), ["Dashboard", "Sockets", "Rooms", "Clients", "Events", "Servers"]);
  await until(() => admin.number("WebSocket"), 2, "clients on WebSocket");
  await until(() => admin.number("HTTP long-polling"), 1, "clients on polling");
  await until(() => admin.number("/chat"), 1, "sockets of /chat");
  await until(() => admin.page.locator("canvas").count(), 4, "charts");
  await admin.go("Servers");
  await admin.rows(1, /\bHealthy/);
  await admin.go("Clients");
  await admin.rows(1, "HTTP long-polling");
  await admin.go("Rooms");
  await admin.row("tea", "Public").getByRole("cell", { name: "2", exact: true }).waitFor();
  await admin.go("Events");
  ada.emit("wave", { to: "all" });
  await admin.row(ada.id, "Event received", "wave").first().waitFor();
  await admin.go("Sockets");
  await admin.rows(2, "127.0.0.1");

  // A socket: what it is, without what is secret; it joins a room, and leaves it.
  await admin.row(ada.id).click();
  await admin.at("Socket details");
  for (const secret of ["token", "cookie"]) await admin.row(secret, "<masked>").waitFor();
  assert.doesNotMatch(await admin.page.content(), /s3cret/);
  await admin.main.getByLabel("Join a room").fill("vip");
  await admin.press(admin.main, "tag-plus-outline");
  await admin.row("vip").waitFor();
  assert.deepEqual(await rooms(ada), ["tea", "vip"]);
  await admin.press(admin.row("vip"), "tag-off-outline");
  await until(() => rooms(ada), ["tea"], "ada's rooms");
  await admin.go("Sockets");

  // A room is cleared.
  await admin.go("Rooms");
  await admin.press(admin.row("tea"), "tag-off-outline");
  await until(() => rooms(grace), [], "grace's rooms");
  assert.deepEqual(await rooms(ada), []);

  // A socket is disconnected, and its client has others; then a client, with all that it has.
  await admin.go("Sockets");
  await admin.choose("/chat");
  await admin.press(admin.row(adaChat.id), "logout");
  await until(() => adaChat.reasons, ["io server disconnect"], "the end of the socket");
  assert.ok(ada.connected);
  const graceChat = await client("/chat", { manager: grace.io });
  await admin.go("Clients");
  await admin.press(admin.row("HTTP long-polling"), "logout");
  await until(() => [grace, graceChat].every((socket) => socket.reasons.length === 1 && !socket.io._readyState.startsWith("open")), true, "the end of the client");
  await admin.go("Clients");
  await admin.rows(2);
  assert.ok(ada.connected);
});
