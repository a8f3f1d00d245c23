// Client code as tutorials have it, on "/". Arguments: the folder with the client,
// the server's URL.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import path from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

const [dir, url] = process.argv.slice(2);
const { io } = createRequire(path.join(dir, "package.json"))("socket.io-client");
const { exitWithParent, report } = await import(pathToFileURL(path.join(dir, "stdin.mjs")));
exitWithParent();

const room = "room-1";
const token = "not.a.token"; // no key is configured, so nobody looks at it
const once = (socket, event) => new Promise((resolve) => socket.once(event, (...args) => resolve(args)));

const other = io(url, { auth: { token } });
await once(other, "connect");
other.emit("join_room", room);
const joined = once(other, "user_joined");

const socket = io(url, { auth: { token } });
await once(socket, "connect");
socket.emit("join_room", "room-1");
assert.equal((await joined)[0].room, room);

let got = once(other, "chat_message");
let mine = once(socket, "chat_message");
socket.emit("chat_message", { room, text: "hello" });
assert.equal((await got)[0].text, "hello");
assert.equal((await mine)[0].room, room);

got = once(other, "message");
const text = "how are you?";
const res = await new Promise((cb) => socket.emit("send_message", { text }, cb));
assert.equal(res.ok, true);
assert.deepEqual([(await got)[0].text, (await got)[0].id], [text, res.id]);

// Volatile: it may be lost, so it is sent until it arrives.
got = once(other, "cursor_position");
const timer = setInterval(() => socket.volatile.emit("cursor_position", { x: 10, y: 20 }), 20);
const [{ x, y }] = await got;
clearInterval(timer);
assert.deepEqual([x, y], [10, 20]);

got = once(other, "file");
const buffer = Buffer.from("a file");
socket.emit("file_upload", buffer);
const [about, content] = await got;
assert.deepEqual([about.size, Buffer.from(content).toString()], [6, "a file"]);

got = once(other, "typing");
socket.emit("typing", room);
assert.equal((await got)[0], socket.id); // an anonymous user's name

socket.disconnect();
assert.equal((await once(other, "user_left"))[0].userCount, 1);
other.disconnect();
report({ done: true });
