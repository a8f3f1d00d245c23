// Writes vectors.json: the messages between Node's socket.io and socket.io-client with
// socket.io-msgpack-parser, each with what it says. To make it anew, in an empty folder:
//
//	npm i socket.io@4.8.4 socket.io-client@4.8.4 socket.io-msgpack-parser@3.0.2
//	cp …/testdata/capture.mjs . && node capture.mjs > …/testdata/vectors.json
//
// In "packet" bytes are {"$bin": hex}, and what JSON.stringify would not tell from null is left as null.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { Server } from "socket.io";
import { io as connect } from "socket.io-client";

const require = createRequire(import.meta.url);
const parser = require("socket.io-msgpack-parser");

const vectors = [];
let name = "connect"; // of the step that is under way

function shown(v) {
  if (v instanceof ArrayBuffer) return { $bin: Buffer.from(v).toString("hex") };
  if (ArrayBuffer.isView(v)) return { $bin: Buffer.from(v.buffer, v.byteOffset, v.byteLength).toString("hex") };
  if (Array.isArray(v)) return v.map(shown);
  if (v instanceof Date) return v.toJSON();
  if (v && typeof v === "object") return Object.fromEntries(Object.entries(v).map(([k, w]) => [k, shown(w)]));
  return v === undefined ? null : v;
}

// Each side encodes with the real encoder; its messages are noted on the way.
function recording(from) {
  class Encoder extends parser.Encoder {
    encode(packet) {
      const messages = super.encode(packet);
      for (const m of messages) {
        vectors.push({ name, from, hex: m.toString("hex"), packet: shown(packet) });
      }
      return messages;
    }
  }
  return { Encoder, Decoder: parser.Decoder, protocol: parser.protocol };
}

const http = createServer();
const io = new Server(http, { parser: recording("server") });
await new Promise((done) => http.listen(0, "127.0.0.1", done));
const url = `http://127.0.0.1:${http.address().port}`;

const echo = (socket) => socket.onAny((event, ...args) => {
  const ack = typeof args.at(-1) === "function" ? args.pop() : null;
  if (ack) ack(...args);
  else socket.emit(event, ...args);
});
io.on("connection", echo);
io.of("/chat").on("connection", echo);
io.of("/chat").on("connection", (socket) => socket.emit("ask", "who?", (answer) => socket.emit("said", answer)));
io.of("/closed").use((socket, next) => next(Object.assign(new Error("not you"), { data: { code: 7, raw: "é" } })));

const options = { parser: recording("client"), transports: ["websocket"], reconnection: false };
const root = connect(url, options);
await new Promise((done) => root.on("connect", done));

const roundTrip = (what, ...args) => {
  name = what;
  return new Promise((done) => {
    root.once("e", done);
    root.emit("e", ...args);
  });
};
await roundTrip("no arguments");
await roundTrip("text", "", "hello", "é€😀", "\u0000\n\"\\/", "x".repeat(40), "y".repeat(300));
await roundTrip("small integers", 0, 1, 127, 128, 255, 256, 65535, 65536, 4294967295);
await roundTrip("negative integers", -1, -32, -33, -128, -129, -32768, -32769, -2147483648);
await roundTrip("large integers", 4294967296, 9007199254740991, -2147483649, -9007199254740991);
await roundTrip("floats", 0.1, -1.5, 1e-7, 5e-324, 1.7976931348623157e308 / 3e292);
await roundTrip("not numbers", NaN, Infinity, -Infinity);
await roundTrip("negative zero", -0);
await roundTrip("nothing", null, undefined, { a: undefined, b: null }, [undefined]);
await roundTrip("booleans", true, false);
await roundTrip("date", new Date(1714564800123), { at: new Date(-1) });
await roundTrip("arrays", [], [[], [1, [2]]], Array.from({ length: 20 }, (_, i) => i));
await roundTrip("objects", {}, { z: 1, a: { b: { c: [] } } }, Object.fromEntries(Array.from({ length: 20 }, (_, i) => ["k" + i, i])));
await roundTrip("toJSON", { toJSON: () => ({ x: 1 }) }, new Map([[1, 2]]));
await roundTrip("Buffer", Buffer.from([1, 2, 3]), Buffer.alloc(0), Buffer.alloc(300, 7));
await roundTrip("Uint8Array", new Uint8Array([1, 2, 3]));
await roundTrip("ArrayBuffer", new Uint8Array([4, 5]).buffer, new ArrayBuffer(0));
await roundTrip("nested bytes", { file: { name: "a", data: Buffer.from("hi") } }, [Buffer.from([9])]);
await roundTrip("many bytes", ...Array.from({ length: 12 }, (_, i) => Buffer.from([i])));
await roundTrip("looks like a placeholder", { _placeholder: true, num: 0 });

name = "number for a name";
await new Promise((done) => {
  root.onAny(done);
  root.emit(7, "x");
});
root.offAny();
name = "acknowledgement";
await root.emitWithAck("e", 1, { a: [Buffer.from([1])] });
name = "acknowledgement without values";
await root.emitWithAck("e");
name = "volatile, not compressed";
root.volatile.compress(false).emit("quiet", 1);

name = "namespace";
const chat = connect(url + "/chat", { ...options, auth: { token: "x", n: 1 } });
chat.on("ask", (question, answer) => answer("me", Buffer.from([2])));
await new Promise((done) => chat.on("said", done));
name = "connect error";
const closed = connect(url + "/closed", options);
await new Promise((done) => closed.on("connect_error", done));
name = "disconnect by the client";
chat.disconnect();
name = "disconnect by the server";
const gone = new Promise((done) => root.on("disconnect", done));
io.of("/").disconnectSockets();
await gone;

console.log("[\n" + vectors.map((v) => JSON.stringify(v)).join(",\n") + "\n]");
process.exit(0);
