// A Node server with the Admin UI's instrumentation, in a cluster by way of Redis. It
// prints its port, and ends with its stdin.
import { createServer } from "node:http";
import { instrument } from "@socket.io/admin-ui";
import { createAdapter } from "@socket.io/redis-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const [url, username, password] = process.argv.slice(2);
const pub = createClient({ url });
const sub = pub.duplicate();
for (const c of [pub, sub]) {
  c.on("error", () => {});
  await c.connect();
}
const http = createServer();
const io = new Server(http, { adapter: createAdapter(pub, sub) });
io.use((socket, next) => {
  socket.data.user = "node";
  next();
});
instrument(io, {
  auth: { type: "basic", username, password },
  mode: "development",
  serverId: "node",
  // The keys of its RedisStore, which is for an older client of Redis.
  store: {
    doesSessionExist: async (id) => (await pub.exists(`socket.io-admin#${id}`)) === 1,
    saveSession: (id) => pub.set(`socket.io-admin#${id}`, "true", { expiration: { type: "EX", value: 86400 } }),
  },
});
http.listen(0, "127.0.0.1", () => console.log(http.address().port));
process.stdin.resume().on("end", () => process.exit(0));
