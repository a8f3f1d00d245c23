// The part of Parlor's chat that the loads use, on Bun with Socket.IO's engine for it:
// bun chat.mjs PORT
import { Server as Engine } from "@socket.io/bun-engine";
import { Server } from "socket.io";

const io = new Server();
const engine = new Engine({ path: "/socket.io/" });
io.bind(engine);
const chat = io.of("/chat");
let messages = 0;

chat.on("connection", (socket) => {
	socket.on("join", (room, ack) => {
		socket.join(room);
		const userCount = chat.adapter.rooms.get(room).size;
		socket.to(room).emit("user_joined", { room, userId: socket.id, user: socket.id, userCount });
		ack?.({ ok: true, room, userCount, users: [], history: [] });
	});
	socket.on("message", (message, ack) => {
		const id = String(++messages);
		const timestamp = Date.now();
		const { room, content } = message;
		chat.to(room).emit("message", { ...message, id, room, from: socket.id, user: socket.id, content, text: content, timestamp });
		ack?.({ ok: true, id, timestamp });
	});
});

export default {
	hostname: "127.0.0.1",
	port: Number(process.argv[2]),
	idleTimeout: 30, // more than the engine's ping interval, as its documentation asks for
	...engine.handler(),
};
