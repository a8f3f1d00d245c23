// Every row of the contract with the real client: ann does it, bob is in the room.
// Arguments: the folder with the client, the server's URL, a transport.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [dir, url, transport] = process.argv.slice(2);
const { io } = createRequire(path.join(dir, "package.json"))("socket.io-client");
const { exitWithParent, report } = await import(pathToFileURL(path.join(dir, "stdin.mjs")));
exitWithParent();

const sockets = [];

// connect returns a client that keeps what it gets.
async function connect(auth) {
  const s = io(url + "/chat", { auth, transports: [transport], reconnection: false, forceNew: true });
  sockets.push(s);
  const got = [];
  let wake = () => {};
  s.onAny((...event) => {
    got.push(event);
    wake();
  });
  s.next = async () => {
    while (got.length === 0) await new Promise((resolve) => (wake = resolve));
    return got.shift();
  };
  s.want = async (name) => {
    const [event, ...args] = await s.next();
    assert.equal(event, name, JSON.stringify(args));
    return args.length === 1 ? args[0] : args;
  };
  s.drop = async (name) => {
    await s.emitWithAck("leave", "none");
    for (const [event] of got.splice(0)) assert.equal(event, name);
  };
  // What others have had acknowledged has come before.
  s.quiet = async () => {
    await s.emitWithAck("leave", "none");
    assert.deepEqual(got, []);
  };
  s.welcome = await s.want("connected");
  return s;
}

const ann = await connect({ as: "ann" });
const tab = await connect({ as: "ann" });
const bob = await connect({ as: "bob" });
const all = [ann, tab, bob];
const rows = {
  async connected() {
    assert.deepEqual(ann.welcome, { userId: "ann", user: "ANN", limits: { messageBytes: 8192, fileBytes: 524288, messagesPerSecond: 10 } });
    const anonymous = await connect({ username: "Eve" });
    assert.deepEqual([anonymous.welcome.userId, anonymous.welcome.user], [anonymous.id, "Eve"]);
    anonymous.disconnect();
  },
  async join() {
    assert.deepEqual(await bob.emitWithAck("join", "r"), {
      ok: true, room: "r", userCount: 1, users: [{ userId: "bob", user: "BOB", status: "online" }], history: [],
    });
    assert.equal((await ann.emitWithAck("join_room", { roomId: "r" })).userCount, 2);
    assert.deepEqual(await bob.want("user_joined"), { room: "r", userId: "ann", user: "ANN", userCount: 2 });
    assert.equal((await tab.emitWithAck("join", { room: "r" })).userCount, 2); // one user
  },
  async message() {
    for (const [event, relayed] of [["message", "message"], ["send_message", "message"], ["chat_message", "chat_message"]]) {
      const ack = await ann.emitWithAck(event, { room: "r", text: "hi", color: "red", from: "eve" });
      assert.equal(ack.ok, true);
      for (const s of all) {
        assert.deepEqual(await s.want(relayed), {
          color: "red", id: ack.id, room: "r", from: "ann", user: "ANN", content: "hi", text: "hi", timestamp: ack.timestamp,
        });
      }
    }
    const first = await ann.emitWithAck("message", { content: "once", clientMsgId: "m1" });
    assert.deepEqual(await tab.emitWithAck("message", { content: "once", clientMsgId: "m1" }), first);
    for (const s of all) assert.equal((await s.want("message")).clientMsgId, "m1");
  },
  async "message with attachments"() {
    await ann.emitWithAck("message", { room: "r", content: "look", data: Buffer.from("bytes"), list: [{ b: new Uint8Array([1, 2]) }] });
    for (const s of all) {
      const m = await s.want("message");
      assert.deepEqual([m.content, Buffer.from(m.data).toString(), [...Buffer.from(m.list[0].b)]], ["look", "bytes", [1, 2]]);
    }
  },
  async typing() {
    ann.emit("typing", "r");
    ann.emit("typing", { room: "r", isTyping: true });
    for (const s of [tab, bob]) {
      assert.equal(await s.want("typing"), "ANN");
      assert.deepEqual(await s.want("typing"), { room: "r", userId: "ann", user: "ANN", isTyping: true });
    }
  },
  async cursor_position() {
    // It may be lost, so it is sent until it arrives.
    const timer = setInterval(() => ann.emit("cursor_position", { x: 1.5, y: -2, room: "r" }), 20);
    for (const s of [tab, bob]) assert.deepEqual(await s.want("cursor_position"), { userId: "ann", user: "ANN", room: "r", x: 1.5, y: -2 });
    clearInterval(timer);
    await ann.quiet();
    for (const s of [tab, bob]) await s.drop("cursor_position");
  },
  async file_upload() {
    const bytes = Buffer.from([0, 1, 2, 255]);
    const ack = await ann.emitWithAck("file_upload", { room: "r", name: "../a.PNG", type: "image/png" }, bytes);
    const plain = await ann.emitWithAck("file_upload", bytes);
    assert.deepEqual([ack.ok, ack.size, plain.ok, plain.size], [true, 4, true, 4]);
    for (const s of [tab, bob]) {
      let [about, content] = await s.want("file");
      assert.deepEqual(about, { id: ack.id, room: "r", from: "ann", user: "ANN", name: "a.PNG", type: "image/png", size: 4, timestamp: about.timestamp });
      assert.deepEqual(Buffer.from(content), bytes);
      [about, content] = await s.want("file");
      assert.deepEqual([about.id, about.name, about.type], [plain.id, "file", "application/octet-stream"]);
      assert.deepEqual(Buffer.from(content), bytes);
    }
    const refused = await ann.emitWithAck("file_upload", { room: "r" }, Buffer.alloc(524289));
    assert.deepEqual(refused, { ok: false, error: { code: "message_too_large", message: "the file is larger than 524288 bytes" } });
  },
  async presence() {
    assert.deepEqual(await ann.emitWithAck("presence", { status: "away" }), { ok: true });
    for (const [s, status] of [[tab, "online"], [bob, "online"]]) {
      const e = await s.want("presence");
      assert.deepEqual(e, { userId: "ann", user: "ANN", status, timestamp: e.timestamp });
    }
    await tab.emitWithAck("presence", { status: "offline" });
    for (const s of [ann, bob]) assert.equal((await s.want("presence")).status, "away");
  },
  async who() {
    assert.deepEqual(await bob.emitWithAck("who", "r"), {
      ok: true, room: "r", userCount: 2, users: [{ userId: "bob", user: "BOB", status: "online" }, { userId: "ann", user: "ANN", status: "away" }],
    });
  },
  async history() {
    const page = await bob.emitWithAck("history", { room: "r", limit: 2 });
    assert.deepEqual([page.ok, page.room, page.more, page.messages.map((m) => m.content)], [true, "r", true, ["hi", "once"]]);
    const before = await bob.emitWithAck("history", { room: "r", before: page.messages[0].id });
    assert.deepEqual([before.more, before.messages.map((m) => m.content)], [false, ["hi", "hi"]]);
    const after = await bob.emitWithAck("history", { room: "r", after: before.messages[0].id, limit: 1 });
    assert.deepEqual([after.more, after.messages], [true, before.messages.slice(1)]);
  },
  async direct_message() {
    const ack = await bob.emitWithAck("direct_message", { to: "ann", content: "psst", clientMsgId: "d1" });
    for (const s of all) {
      assert.deepEqual(await s.want("direct_message"), {
        id: ack.id, from: "bob", user: "BOB", to: "ann", content: "psst", timestamp: ack.timestamp, clientMsgId: "d1",
      });
    }
    assert.deepEqual(Object.keys(ack), ["ok", "id", "timestamp"]);
    assert.equal((await bob.emitWithAck("direct_message", { to: "nobody", content: "psst" })).delivered, false);
    await bob.want("direct_message");
  },
  async errors() {
    assert.equal((await ann.emitWithAck("message", { room: "other", content: "x" })).error.code, "not_in_room");
    ann.emit("message", { room: "other", content: "x" });
    assert.deepEqual(await ann.want("error"), { code: "not_in_room", message: "Not in this room", event: "message" });
  },
  async leave() {
    assert.deepEqual(await tab.emitWithAck("leave_room", "r"), { ok: true, room: "r" });
    await bob.quiet();
    assert.deepEqual(await ann.emitWithAck("leave", { roomId: "r" }), { ok: true, room: "r" });
    assert.deepEqual(await bob.want("user_left"), { room: "r", userId: "ann", user: "ANN", userCount: 1 });
  },
  async "the end of a connection"() {
    await ann.emitWithAck("join", "r");
    await bob.want("user_joined");
    assert.equal((await bob.want("presence")).status, "away"); // as it still is
    ann.disconnect();
    assert.deepEqual(await bob.want("user_left"), { room: "r", userId: "ann", user: "ANN", userCount: 1 });
  },
};

for (const [name, row] of Object.entries(rows)) {
  try {
    await row();
    for (const s of all) if (s.connected) await s.quiet();
  } catch (err) {
    throw new Error(`${name}: ${err.stack}`);
  }
  report({ row: name });
}
for (const s of sockets) s.disconnect(); // and the process ends when all is sent
