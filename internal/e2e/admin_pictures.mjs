// The pictures of the docs: the six pages, on a cluster of two Parlor instances and a Node server.
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { Admin, adminTest, api, client, given, until } from "./admin_page.mjs";

const peer = spawn(process.execPath, [given.peer, given.redis, given.user, given.password], { stdio: ["pipe", "pipe", "inherit"] });
const { value: port } = await createInterface({ input: peer.stdout })[Symbol.asyncIterator]().next();
const servers = [given.url, given.other, `http://127.0.0.1:${port}/`];
const crowd = [];
const said = [
  ["typing", { isTyping: true }],
  ["message", { content: "Shall we begin at ten?" }],
  ["message", { content: "The notes are in the library." }],
];

try {
  await adminTest(async (browser) => {
    const admin = await Admin.open(browser);
    await admin.login(given.user, given.password);
    for (let i = 0; i < 14; i++) {
      const user = ["Ada", "Grace", "Joan", "Mary", "Edith", "Annie", "Radia"][i % 7];
      const options = { transports: i % 5 === 4 ? ["polling"] : ["websocket"], auth: { username: user } };
      const url = servers[i % 3];
      const socket = await client("/", { url, ...options });
      crowd.push(socket);
      const room = ["tea room", "garden", "library"][i % 3 === 2 ? (i >> 2) % 3 : i % 3];
      socket.room = room;
      if (i % 3 === 2) await api("join", { namespace: "/", target: { socket: socket.id }, room });
      else {
        await socket.emitWithAck("join", room);
        if (i % 2 === 0) await socket.emitWithAck("join", "lobby");
        if (i % 4 === 0) await client("/chat", { manager: socket.io });
      }
      await wait(1200); // so that the charts have more than one column
    }
    const talk = setInterval(() => {
      const socket = crowd[Math.floor(Math.random() * crowd.length)];
      const [event, content] = said[Math.floor(Math.random() * said.length)];
      socket.emit(event, { room: socket.room, ...content });
    }, 2500); // the page draws all of its events anew for each
    await wait(15_000);
    for (const socket of crowd.splice(3, 2)) socket.disconnect();
    await wait(4_000);
    await until(() => admin.row("Healthy").first().innerText(), (text) => /\b3\b/.test(text), "three servers");
    await admin.picture("admin-dashboard");
    for (const name of ["Sockets", "Rooms", "Clients", "Events", "Servers"]) {
      await admin.go(name);
      await wait(2_500);
      if (name === "Sockets") await admin.choose("/");
      if (name === "Rooms") {
        const column = admin.main.getByRole("columnheader", { name: "# of sockets" });
        for (let i = 0; i < 2; i++) await column.click(); // the largest first
        await wait(500);
      }
      if (name === "Events") {
        clearInterval(talk);
        await admin.row("message").first().getByRole("button").last().click();
      }
      await admin.picture(`admin-${name.toLowerCase()}`);
    }
  });
} finally {
  peer.stdin.end();
}

function wait(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
