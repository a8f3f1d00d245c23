// The chat page: the real Socket.IO client on the namespace /chat. Whatever
// comes from others is shown as text, never as markup.
"use strict";

const $ = (id) => document.getElementById(id);
const ackTimeout = 10_000;
const maxShown = 500; // messages kept in the page

const me = { id: "", name: remembered("name") || `guest-${1000 + Math.floor(Math.random() * 9000)}` };
const wanted = { room: fromHash() || remembered("room") || "lobby" };
let room = ""; // the room the server has let us into, on this connection
let limits = { messageBytes: Infinity };
const people = new Map(); // userId → { user, status }
const typists = new Map(); // userId → { user, timer }
const shown = new Map(); // message id or clientMsgId → <li>
let waiting = []; // own messages written while there was no room to send them to

const socket = io("/chat", { path: document.documentElement.dataset.path, auth: { username: me.name } });

// Connection.

function showStatus(state, text) {
  $("status").dataset.state = state;
  $("status").textContent = text;
}

function showTransport() {
  $("transport").textContent = socket.connected && socket.io.engine ? `over ${socket.io.engine.transport.name}` : "";
}

socket.io.on("open", () => {
  const first = socket.io.engine.transport.name;
  socket.io.engine.on("upgrade", (next) => { $("transport").textContent = `over ${first} → ${next.name}`; });
});
socket.io.on("reconnect_attempt", (n) => showStatus("reconnecting", `Reconnecting, attempt ${n}…`));

socket.on("connect", () => {
  showStatus("connected", "Connected");
  showTransport();
  notice("");
  enter(wanted.room);
});

socket.on("disconnect", (reason) => {
  room = "";
  setWritable(false);
  setTypists();
  showTransport();
  if (socket.active) {
    showStatus("reconnecting", `Connection lost (${reason}). Reconnecting…`);
  } else {
    showStatus("refused", "Disconnected by the server");
    notice("The server ended the connection. Join again to reconnect.");
  }
});

socket.on("connect_error", (err) => {
  if (socket.active) {
    showStatus("reconnecting", "The server cannot be reached. Trying again…");
  } else {
    showStatus("refused", "Refused");
    notice(`The server refused the connection: ${err.message}`);
  }
});

socket.on("connected", (hello) => {
  me.id = hello.userId;
  limits = hello.limits || limits;
});

socket.on("error", (err) => notice(err && err.message ? err.message : "The server refused that."));

// Rooms.

async function ask(event, payload) {
  const reply = await socket.timeout(ackTimeout).emitWithAck(event, payload);
  if (reply && reply.ok === false) throw new Error(reply.error ? reply.error.message : "refused");
  return reply;
}

async function enter(name) {
  const before = room;
  try {
    const reply = await ask("join", { room: name, username: me.name });
    if (before && before !== reply.room) {
      ask("leave", { room: before }).catch(() => {}); // it ends with the connection at the latest
    }
    const again = $("current").dataset.room === reply.room;
    room = reply.room;
    $("current").textContent = `# ${room}`;
    $("current").dataset.room = room;
    document.title = `${room} · Parlor`;
    history.replaceState(null, "", `#${encodeURIComponent(room)}`);
    remember("room", room);
    offer(room);
    if (!again) {
      $("messages").replaceChildren();
      shown.clear();
    }
    (reply.history || []).forEach(showMessage);
    showEvent(again ? "You are back" : `You joined ${room}`);
    people.clear();
    (reply.users || []).forEach((u) => people.set(u.userId, u));
    showPeople(reply.userCount);
    setTypists();
    setWritable(true);
    notice("");
    const unsent = waiting;
    waiting = [];
    unsent.forEach(send);
  } catch (err) {
    if (socket.connected) notice(`Could not join ${name}: ${explain(err)}`);
  }
}

socket.on("user_joined", (e) => {
  if (e.room !== room) return;
  if (e.userId !== me.id && !people.has(e.userId)) showEvent(`${e.user} joined`);
  people.set(e.userId, { userId: e.userId, user: e.user, status: "online" });
  showPeople(e.userCount);
});

socket.on("user_left", (e) => {
  if (e.room !== room) return;
  if (e.userId !== me.id) showEvent(`${e.user} left`);
  people.delete(e.userId);
  stopTyping(e.userId);
  showPeople(e.userCount);
});

socket.on("presence", (e) => {
  const person = people.get(e.userId);
  if (!person) return;
  person.status = e.status;
  showPeople();
});

let userCount = 0;

function showPeople(count) {
  if (Number.isInteger(count)) userCount = count;
  $("count").textContent = String(userCount);
  const items = [...people.values()]
    .sort((a, b) => String(a.user).localeCompare(String(b.user)))
    .map((p) => element("li", "", p.userId === me.id ? `${p.user} (you)` : p.user, { status: p.status || "online" }));
  const hidden = userCount - items.length;
  if (hidden > 0) items.push(element("li", "", `and ${hidden} more`, { status: "offline" }));
  $("people").replaceChildren(...items);
}

$("entry").addEventListener("submit", (submit) => {
  submit.preventDefault();
  const name = $("name").value.trim();
  const next = $("room").value.trim();
  if (!name || !next) return;
  const renamed = name !== me.name;
  me.name = name;
  wanted.room = next;
  remember("name", name);
  socket.auth = { username: name };
  if (!socket.connected) {
    socket.connect();
  } else if (renamed) {
    socket.disconnect().connect(); // a name belongs to the connection
  } else {
    enter(next);
  }
  $("text").focus();
});

// Messages.

$("composer").addEventListener("submit", (submit) => {
  submit.preventDefault();
  const content = $("text").value.trim();
  if (!content) return;
  const size = new TextEncoder().encode(content).length;
  if (size > limits.messageBytes) {
    notice(`The message has ${size} bytes; the server takes ${limits.messageBytes}.`);
    return;
  }
  notice("");
  $("text").value = "";
  tellTyping(false);
  const key = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
  const message = { content, clientMsgId: key };
  const item = showMessage({ id: key, clientMsgId: key, from: me.id, user: me.name, content, timestamp: Date.now() });
  item.scrollIntoView({ block: "end" });
  send(message);
});

$("text").addEventListener("keydown", (key) => {
  if (key.key === "Enter" && !key.shiftKey && !key.isComposing) {
    key.preventDefault();
    $("composer").requestSubmit();
  }
});

async function send(message) {
  if (!room) {
    waiting.push(message);
    showState(message, "waiting", "waiting for the connection");
    return;
  }
  showState(message, "sending", "sending…");
  try {
    const reply = await ask("message", { ...message, room });
    shown.set(reply.id, shown.get(message.clientMsgId));
    showState(message, "sent", "sent ✓");
  } catch (err) {
    showState(message, "failed", `not sent: ${explain(err)}`);
  }
}

function showState(message, state, text) {
  const item = shown.get(message.clientMsgId);
  if (!item) return;
  const mark = item.querySelector(".state");
  mark.dataset.state = state;
  mark.textContent = text;
  item.querySelector(".again")?.remove();
  if (state === "failed") {
    const again = element("button", "again", "Try again");
    again.type = "button";
    again.addEventListener("click", () => send(message));
    item.querySelector(".by").append(again);
  }
}

function showMessage(m) {
  const known = shown.get(m.id) || (m.from === me.id && m.clientMsgId && shown.get(m.clientMsgId));
  if (known) {
    shown.set(m.id, known);
    return known;
  }
  const own = m.from === me.id;
  const item = element("li", own ? "message own" : "message");
  const when = new Date(m.timestamp);
  const time = element("time", "", when.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }));
  if (!Number.isNaN(when.getTime())) time.dateTime = when.toISOString();
  const by = element("div", "by");
  by.append(element("strong", "", m.user), time, element("span", "state", ""));
  item.append(by, element("div", "body", m.content ?? m.text));
  shown.set(m.id, item);
  append(item);
  return item;
}

socket.on("message", (m) => {
  if (m.room !== room) return;
  stopTyping(m.from);
  showMessage(m);
});

function showEvent(text) {
  append(element("li", "event", text));
}

function append(item) {
  const list = $("messages");
  const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 80;
  list.append(item);
  if (list.childElementCount > maxShown) {
    const oldest = list.firstElementChild;
    for (const [key, value] of shown) if (value === oldest) shown.delete(key);
    oldest.remove();
  }
  if (atEnd) list.scrollTop = list.scrollHeight;
  $("newest").hidden = atEnd;
}

$("newest").addEventListener("click", () => {
  $("messages").scrollTop = $("messages").scrollHeight;
  $("newest").hidden = true;
});
$("messages").addEventListener("scroll", () => {
  const list = $("messages");
  if (list.scrollHeight - list.scrollTop - list.clientHeight < 80) $("newest").hidden = true;
});

// Typing.

let typing = false;
let typingTimer = 0;

function tellTyping(now) {
  clearTimeout(typingTimer);
  if (now) typingTimer = setTimeout(() => tellTyping(false), 3000);
  if (now === typing) return;
  typing = now;
  if (room) socket.emit("typing", { room, isTyping: now });
}

$("text").addEventListener("input", () => tellTyping($("text").value !== ""));

socket.on("typing", (e) => {
  if (!e || e.room !== room || e.userId === me.id) return;
  stopTyping(e.userId);
  if (e.isTyping) {
    typists.set(e.userId, { user: e.user, timer: setTimeout(() => stopTyping(e.userId), 6000) });
    showTypists();
  }
});

function stopTyping(userId) {
  clearTimeout(typists.get(userId)?.timer);
  typists.delete(userId);
  showTypists();
}

function setTypists() {
  typists.forEach((t) => clearTimeout(t.timer));
  typists.clear();
  typing = false;
  showTypists();
}

function showTypists() {
  const names = [...typists.values()].map((t) => t.user);
  $("typing").textContent = names.length === 0 ? ""
    : names.length === 1 ? `${names[0]} is typing…`
      : names.length === 2 ? `${names[0]} and ${names[1]} are typing…`
        : `${names.length} people are typing…`;
}

// Small things.

function element(tag, className, text, data) {
  const e = document.createElement(tag);
  if (className) e.className = className;
  if (text !== undefined) e.textContent = String(text);
  Object.assign(e.dataset, data);
  return e;
}

function explain(err) {
  return err.message === "operation has timed out" ? "no answer from the server" : err.message;
}

function notice(text) {
  $("notice").textContent = text;
}

// Text may be written while the connection is away; it is sent when it is back.
function setWritable(on) {
  if (!on) return;
  $("text").disabled = false;
  $("send").disabled = false;
}

function offer(name) {
  for (const option of $("rooms").children) if (option.value === name) return;
  const option = element("option", "");
  option.value = name;
  $("rooms").append(option);
}

// A link may name the room: #lobby.
function fromHash() {
  try { return decodeURIComponent(location.hash.slice(1)); } catch { return ""; }
}

// A tab remembers; the next one starts anew, so that two tabs are two people.
function remembered(key) {
  try { return sessionStorage.getItem(key); } catch { return null; }
}
function remember(key, value) {
  try { sessionStorage.setItem(key, value); } catch { /* storage may be off */ }
}

remember("name", me.name);
$("name").value = me.name;
$("room").value = wanted.room;
["lobby", "random", "help"].forEach(offer);
