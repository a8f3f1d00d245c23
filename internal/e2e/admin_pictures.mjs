// The pictures of the docs: the six pages, on a cluster of two Parlor instances and a Node server.
import { spawn } from "node:child_process";
import process from "node:process";
import { createInterface } from "node:readline";
import { Admin, adminTest, api, client, given, until } from "./admin_page.mjs";

const peer = spawn(process.execPath, [given.peer, given.redis, given.user, given.password], { stdio: ["pipe", "pipe", "inherit"] });
const { value: port } = await createInterface({ input: peer.stdout })[Symbol.asyncIterator]().next();
const servers = [given.url, given.other, `http://127.0.0.1:${port}/`];
const crowd = [];

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
      if (i % 3 === 2) await api("join", { namespace: "/", target: { socket: socket.id }, room });
      else {
        await socket.emitWithAck("join", room);
        if (i % 2 === 0) await socket.emitWithAck("join", "lobby");
        if (i % 4 === 0) await client("/chat", { manager: socket.io });
      }
      await wait(1500); // so that the charts have more than one column
    }
    const talk = setInterval(() => {
      const socket = crowd[Math.floor(Math.random() * crowd.length)];
      socket.emit("typing", { room: "tea room" });
    }, 700);
    await wait(20_000);
    for (const socket of crowd.splice(3, 2)) socket.disconnect();
    await wait(4_000);
    await until(() => admin.row("Healthy").first().innerText(), (text) => /\b3\b/.test(text), "three servers");
    await admin.picture("admin-dashboard");
    for (const name of ["Sockets", "Rooms", "Clients", "Events", "Servers"]) {
      await admin.go(name);
      await wait(2_500);
      if (name === "Sockets") await admin.choose("/");
      if (name === "Events") {
        clearInterval(talk);
        await admin.row("Event received").first().getByRole("button").last().click();
      }
      await admin.picture(`admin-${name.toLowerCase()}`);
    }
    await admin.go("Sockets");
    await admin.row(crowd[0].id).click();
    await admin.at("Socket details");
    await wait(1000);
    await admin.picture("admin-socket");
  });
} finally {
  peer.stdin.end();
}

function wait(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
