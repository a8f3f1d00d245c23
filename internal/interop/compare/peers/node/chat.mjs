// The part of Parlor's chat that the loads use, on Node's socket.io: node chat.mjs PORT [REDIS]
// As its documentation advises for performance: bufferutil is installed, and the
// request that a session began with is let go.
import { Server } from "socket.io";

const [port, redis] = process.argv.slice(2);
const io = new Server();
if (redis) {
	const { createAdapter } = await import("@socket.io/redis-adapter");
	const { createClient } = await import("redis");
	const pub = createClient({ url: redis });
	const sub = pub.duplicate();
	await Promise.all([pub.connect(), sub.connect()]);
	io.adapter(createAdapter(pub, sub));
}
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
io.listen(Number(port));
io.engine.on("connection", (session) => {
	session.request = null;
});
