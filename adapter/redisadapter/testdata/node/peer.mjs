// A Node server in the cluster, driven from the outside: each line on stdin is
// {id, code}, an async function's body; each line on stdout {id, value} or {id, error}.
import { createServer } from "node:http";
import { createInterface } from "node:readline";
import { createAdapter, createShardedAdapter } from "@socket.io/redis-adapter";
import { Emitter } from "@socket.io/redis-emitter";
import { createClient } from "redis";
import { Server } from "socket.io";
import { io as client } from "socket.io-client";

const [url, prefix, kind] = process.argv.slice(2);
const pub = createClient({ url });
const sub = pub.duplicate();
for (const c of [pub, sub]) {
  c.on("error", () => {});
  await c.connect();
}
const http = createServer();
const adapter =
  kind === "sharded" ? createShardedAdapter(pub, sub, { channelPrefix: prefix }) : createAdapter(pub, sub, { key: prefix });
const io = new Server(http, { adapter });
io.use((socket, next) => {
  socket.data = { from: "node" };
  next();
});
io.on("connection", (socket) => {
  socket.join(socket.handshake.auth.rooms ?? []);
});
const emitter = new Emitter(pub, { key: prefix });

// Clients by name. What they get is recorded; questions are answered with their name.
const clients = {};
const got = {};
const plain = (v) => (Buffer.isBuffer(v) || v instanceof ArrayBuffer ? { bytes: Buffer.from(v).toString("hex") } : v);
const connect = (name, url, rooms) =>
  new Promise((resolve, reject) => {
    const c = client(url, { transports: ["websocket"], auth: { rooms }, forceNew: true, reconnection: false });
    clients[name] = c;
    got[name] = [];
    c.onAny((event, ...args) => {
      const ack = args.at(-1);
      if (typeof ack === "function") {
        args.pop();
        ack(name, "second");
      }
      got[name].push([event, ...args.map(plain)]);
    });
    c.on("disconnect", (reason) => got[name].push(["disconnect", reason]));
    c.on("connect", () => resolve(c.id));
    c.on("connect_error", reject);
  });

const AsyncFunction = (async () => {}).constructor;
const scope = { io, emitter, clients, got, connect, plain, state: {} };
for await (const line of createInterface({ input: process.stdin })) {
  const { id, code } = JSON.parse(line);
  (async () => {
    try {
      const value = await new AsyncFunction(...Object.keys(scope), code)(...Object.values(scope));
      console.log(JSON.stringify({ id, value: value ?? null }));
    } catch (e) {
      console.log(JSON.stringify({ id, error: String(e?.stack ?? e) }));
    }
  })();
  if (id === 0) {
    http.listen(0, "127.0.0.1", () => console.log(JSON.stringify({ id: -1, value: http.address().port })));
  }
}
process.exit(0);
