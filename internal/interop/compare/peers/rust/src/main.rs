//! The part of Parlor's chat that the loads use, on socketioxide with axum: chatpeer PORT

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::{Router, serve::ListenerExt};
use serde::{Deserialize, Serialize};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef},
    handler::ConnectHandler,
};

#[derive(Deserialize)]
struct Message {
    room: String,
    content: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Joined<'a> {
    room: &'a str,
    user_id: &'a str,
    user: &'a str,
    user_count: usize,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Welcome<'a> {
    ok: bool,
    room: &'a str,
    user_count: usize,
    users: [(); 0],
    history: [(); 0],
}

#[derive(Serialize)]
struct Sent<'a> {
    id: &'a str,
    room: &'a str,
    from: &'a str,
    user: &'a str,
    content: &'a str,
    text: &'a str,
    timestamp: u64,
}

#[derive(Serialize)]
struct Accepted<'a> {
    ok: bool,
    id: &'a str,
    timestamp: u64,
}

static MESSAGES: AtomicU64 = AtomicU64::new(0);

async fn join(socket: SocketRef, Data(room): Data<String>, ack: AckSender) {
    socket.join(room.clone());
    let user_count = socket.within(room.clone()).sockets().len();
    let user = socket.id.as_str();
    let joined = Joined {
        room: &room,
        user_id: user,
        user,
        user_count,
    };
    let _ = socket.to(room.clone()).emit("user_joined", &joined).await;
    let _ = ack.send(&Welcome {
        ok: true,
        room: &room,
        user_count,
        users: [],
        history: [],
    });
}

async fn message(socket: SocketRef, Data(message): Data<Message>, ack: AckSender) {
    let id = (MESSAGES.fetch_add(1, Ordering::Relaxed) + 1).to_string();
    let timestamp = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| d.as_millis() as u64);
    let user = socket.id.as_str();
    let sent = Sent {
        id: &id,
        room: &message.room,
        from: user,
        user,
        content: &message.content,
        text: &message.content,
        timestamp,
    };
    let _ = socket
        .within(message.room.clone())
        .emit("message", &sent)
        .await;
    let _ = ack.send(&Accepted {
        ok: true,
        id: &id,
        timestamp,
    });
}

/// Listens before a client knows that it is connected: what it then sends is not missed.
async fn listen(socket: SocketRef) -> Result<(), Infallible> {
    socket.on("join", join);
    socket.on("message", message);
    Ok(())
}

async fn connected() {}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port: u16 = std::env::args()
        .nth(1)
        .ok_or("usage: chatpeer PORT")?
        .parse()?;
    // A burst is to find room: by default a client's queue is of 128 packets.
    let (layer, io) = SocketIo::builder().max_buffer_size(100_000).build_layer();
    io.ns("/chat", connected.with(listen));
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await?
        .tap_io(|connection| {
            let _ = connection.set_nodelay(true);
        });
    axum::serve(listener, Router::new().layer(layer)).await?;
    Ok(())
}
