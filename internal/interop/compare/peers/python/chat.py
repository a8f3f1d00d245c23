"""The part of Parlor's chat that the loads use, on python-socketio with uvicorn:
python chat.py PORT [REDIS]
"""

import sys
import time

import socketio
import uvicorn

port, redis = int(sys.argv[1]), sys.argv[2] if len(sys.argv) > 2 else None
sio = socketio.AsyncServer(async_mode="asgi", client_manager=socketio.AsyncRedisManager(redis) if redis else None)
messages = 0


@sio.on("connect", namespace="/chat")
async def connect(sid, environ, auth):
    pass


@sio.on("join", namespace="/chat")
async def join(sid, room):
    await sio.enter_room(sid, room, namespace="/chat")
    count = len(sio.manager.rooms["/chat"][room])
    joined = {"room": room, "userId": sid, "user": sid, "userCount": count}
    await sio.emit("user_joined", joined, to=room, skip_sid=sid, namespace="/chat")
    return {"ok": True, "room": room, "userCount": count, "users": [], "history": []}


@sio.on("message", namespace="/chat")
async def message(sid, data):
    global messages
    messages += 1
    number, timestamp, content = str(messages), int(time.time() * 1000), data["content"]
    sent = {**data, "id": number, "from": sid, "user": sid, "text": content, "timestamp": timestamp}
    await sio.emit("message", sent, to=data["room"], namespace="/chat")
    return {"ok": True, "id": number, "timestamp": timestamp}


uvicorn.run(socketio.ASGIApp(sio), host="127.0.0.1", port=port, log_level="error")
