// The part of Parlor's chat that the loads use, on Node's socket.io: node chat.cjs PORT
const { Server } = require("socket.io");

const io = new Server(Number(process.argv[2]));
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
