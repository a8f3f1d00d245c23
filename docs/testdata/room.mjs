// The room of frontend.md, put to the test: room.mjs URL MODULES SCRIPT
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import process from "node:process";

process.stdin.on("end", () => process.exit(1)).resume().unref?.(); // the test is gone
const [url, modules, script] = process.argv.slice(2);
const { io } = createRequire(`${modules}/`)("socket.io-client");
const { createRoom } = await import(script);

const people = ["ada", "grace"].map((username) => {
  const socket = io(url, { auth: { username }, reconnectionDelay: 50, randomizationFactor: 0, transports: ["websocket"] });
  const { timeout } = socket;
  socket.timeout = () => timeout.call(socket, 1000); // what the server does not answer is not to take long
  const shown = [];
  return { socket, shown, room: createRoom(socket, "room-1", (message) => shown.push(message.text)) };
});
const [ada, grace] = people;

const until = async (done) => {
  while (!done()) await new Promise((resolve) => setTimeout(resolve, 10));
};
const everybodyHas = (n) => until(() => people.every(({ shown }) => shown.length >= n));

ada.room.write("one");
await everybodyHas(1);
grace.room.write("two");
await everybodyHas(2);

// Ada's connection breaks; she writes, and so does Grace, more than an ack of join has.
ada.socket.io.engine.close();
ada.room.write("from ada");
for (let i = 0; i < 5; i++) grace.room.write(`from grace ${i}`);
await everybodyHas(8);
ada.room.write("last");
await everybodyHas(9);

for (const { shown } of people) assert.equal(new Set(shown).size, shown.length, `doubled: ${shown}`);
assert.deepEqual([...ada.shown].sort(), [...grace.shown].sort());
assert.equal(ada.shown.length, 9);
for (const { socket } of people) socket.close();
