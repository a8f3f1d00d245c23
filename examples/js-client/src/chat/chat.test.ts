// @vitest-environment happy-dom
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server, type Socket as ServerSocket } from "socket.io";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Answer, ChatMessage, Receipt } from "../contract";
import { createConnection, type Connection } from "../socket/connection";
import { createChat, type Chat } from "./chat";
import * as outbox from "./outbox";
import { handshake, session, signIn, signOut } from "./session";
import { chatStore, conversation, initialChat, roomKey } from "./store";

// A server with one room's worth of chat, that can be told to lose things.
let io: Server;
let url: string;
let said: ChatMessage[];
let onMessage: (message: ChatMessage, ack: (answer: Answer<Receipt>) => void, socket: ServerSocket) => void;

let onJoin: (room: string) => object | undefined | null; // the same; null: it does not answer, but lets one in
let onHistory: (socket: ServerSocket) => object | undefined; // what it answers, if not what was said

let connection: Connection;
let chat: Chat;

beforeEach(async () => {
  localStorage.clear();
  sessionStorage.clear();
  said = [];
  onJoin = () => undefined;
  onHistory = () => undefined;
  onMessage = (message, ack) => {
    relay(message);
    ack({ ok: true, id: message.id, timestamp: message.timestamp });
  };
  const http = createServer();
  io = new Server(http);
  io.of("/chat").on("connection", (socket) => {
    const { username } = socket.handshake.auth as { username: string };
    socket.emit("connected", { userId: socket.id, user: username, limits: { messageBytes: 0, fileBytes: 0, messagesPerSecond: 0 } });
    socket.on("join", async ({ room }: { room: string }, ack: (answer: object) => void) => {
      const answer = onJoin(room);
      if (!answer) await socket.join(room);
      if (answer !== undefined) {
        if (answer) ack(answer);
        return;
      }
      const users = [{ userId: socket.id, user: username, status: "online" }];
      ack({ ok: true, room, userCount: 1, users, history: said.slice(-2) });
    });
    socket.on("history", ({ after }: { after: string }, ack: (answer: object) => void) => {
      const answer = onHistory(socket);
      if (answer) {
        ack(answer);
        return;
      }
      const later = said.filter((m) => m.id > after);
      ack({ ok: true, messages: later.slice(0, 3), more: later.length > 3 });
    });
    socket.on("message", (message: ChatMessage, ack: (answer: Answer<Receipt>) => void) => {
      const id = String(said.length + 1).padStart(6, "0");
      onMessage({ ...message, id, from: socket.id, user: username, timestamp: Date.now() }, ack, socket);
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  signIn({ name: "Ada", token: null });
  start();
});

afterEach(async () => {
  vi.useRealTimers();
  connection.socket.disconnect();
  chatStore.setState({ ...initialChat, conversations: new Map() });
  signOut();
  await io.close();
});

/** What ChatProvider does. */
function start() {
  connection = createConnection({ namespace: "/chat", url, transports: ["websocket"] });
  connection.authenticate(handshake);
  chat = createChat(connection.socket);
  connection.socket.on("connected", chat.on.connected);
  connection.socket.on("message", chat.on.message);
  connection.socket.on("user_joined", chat.on.user_joined);
  connection.socket.on("user_left", chat.on.user_left);
  connection.socket.on("disconnect", chat.disconnected);
  connection.connect();
}

function relay(message: ChatMessage) {
  said.push(message);
  io.of("/chat").to(message.room).emit("message", message);
}

function other(content: string): ChatMessage {
  const id = String(said.length + 1).padStart(6, "0");
  return { id, room: "r", from: "ben", user: "Ben", content, timestamp: Date.now() };
}

const key = roomKey("r");
const shown = (of = key) => {
  const { numbered, pending } = conversation(of)?.timeline ?? { numbered: [], pending: [] };
  return [...numbered, ...pending].map((entry) => entry.content);
};
const states = () => conversation(key)?.timeline.pending.map((entry) => entry.state);
const joined = (of = key) => vi.waitFor(() => expect(conversation(of)?.joined).toBe(true));
const settled = () => vi.waitFor(() => expect(conversation(key)?.timeline.pending).toEqual([]));

test("written while offline: sent on return, once, in order, after what was missed", async () => {
  chat.enterRoom("r");
  await joined();
  chat.send(key, "first");
  await settled();

  connection.socket.disconnect();
  for (let i = 0; i < 10; i++) said.push(other(`missed ${i}`));
  for (const text of ["a", "b", "c"]) chat.send(key, text);
  expect(states()).toEqual(["sending", "sending", "sending"]);
  connection.connect();
  await joined();
  await settled();

  const missed = Array.from({ length: 10 }, (_, i) => `missed ${i}`);
  expect(shown()).toEqual(["first", ...missed, "a", "b", "c"]);
  expect(said.map((m) => m.content)).toEqual(["first", ...missed, "a", "b", "c"]);
});

test("the connection ends between the message and its acknowledgement: it is there once", async () => {
  chat.enterRoom("r");
  await joined();
  const answer = onMessage;
  onMessage = (message, _, socket) => {
    said.push(message); // it has arrived, and nobody hears of it
    socket.disconnect();
  };
  chat.send(key, "lost");
  await vi.waitFor(() => expect(connection.socket.connected).toBe(false));
  onMessage = answer;
  connection.reconnect();
  await joined();
  await settled();
  expect(said.map((m) => m.content)).toEqual(["lost"]);
  expect(shown()).toEqual(["lost"]);
  expect(conversation(key)?.timeline.numbered[0]).toMatchObject({ mine: true, state: "sent" });
  expect(outbox.load("name:Ada")).toEqual([]);
});

test("the relayed copy is the last word of a connection: the next page does not send it again", async () => {
  chat.enterRoom("r");
  await joined();
  onMessage = (message, _, socket) => {
    relay(message);
    socket.disconnect();
  };
  chat.send(key, "once");
  await vi.waitFor(() => expect(connection.socket.connected).toBe(false));
  expect(shown()).toEqual(["once"]);
  expect(states()).toEqual([]);
  expect(outbox.load("name:Ada")).toEqual([]);
});

test("left while a message waits for its turn, or for its answer: it is not sent, and not kept", async () => {
  chat.enterRoom("r");
  await joined();
  const later = vi.spyOn(globalThis, "setTimeout");
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  onMessage = (message, ack) => {
    asked.push(message.content);
    answers.push(() => ack({ ok: false, error: { code: "rate_limited", message: "Rate limit exceeded" } }));
  };
  const leave = async (between: () => void) => {
    chat.leaveRoom("r");
    between();
    chat.enterRoom("elsewhere"); // what is answered after it
    await joined(roomKey("elsewhere"));
    expect(outbox.load("name:Ada")).toEqual([]);
  };

  connection.socket.disconnect();
  chat.send(key, "a"); // before there is a connection: the page tries again by itself
  connection.connect();
  await vi.waitFor(() => expect(asked).toEqual(["a"]));
  answers.pop()?.();
  await vi.waitFor(() => expect(conversation(key)?.timeline.pending[0]?.problem?.text).toMatch("Waiting"));
  await leave(() => (later.mock.calls.findLast(([, delay]) => delay === 1_000)?.[0] as () => void)());
  expect(asked).toEqual(["a"]);

  chat.leaveRoom("elsewhere");
  chat.enterRoom("r");
  await joined();
  chat.send(key, "b");
  await vi.waitFor(() => expect(asked).toEqual(["a", "b"]));
  await leave(() => answers.pop()?.());
});

test("unread: the conversation that comes to the front when another is left is read", async () => {
  chat.enterRoom("r");
  await joined();
  chat.enterRoom("elsewhere");
  await joined(roomKey("elsewhere"));
  relay(other("hi"));
  await vi.waitFor(() => expect(conversation(key)?.unread).toBe(1));
  chat.leaveRoom("elsewhere");
  expect(chatStore.getState().active).toBe(key);
  expect(conversation(key)?.unread).toBe(0);
});

test.each([{ before: ["first"] }, { before: [] }])("unread: what was missed where nobody looks, after $before", async ({ before }) => {
  chat.enterRoom("r");
  await joined();
  for (const text of before) chat.send(key, text);
  await settled();
  chat.enterRoom("elsewhere");
  await joined(roomKey("elsewhere"));
  connection.socket.disconnect();
  for (const text of ["missed 1", "missed 2"]) said.push(other(text));
  connection.connect();
  await joined();
  expect(shown()).toEqual([...before, "missed 1", "missed 2"]);
  expect(conversation(key)?.unread).toBe(2);
});

test("what was missed cannot be had: where it would be is marked", async () => {
  chat.enterRoom("r");
  await joined();
  chat.send(key, "first");
  await settled();
  connection.socket.disconnect();
  for (let i = 0; i < 5; i++) said.push(other(`missed ${i}`));
  onHistory = () => ({ ok: false, error: { code: "internal", message: "internal" } });
  connection.connect();
  await joined();
  expect(shown()).toEqual(["first", "missed 3", "missed 4"]);
  expect(conversation(key)?.timeline.numbered.map((entry) => entry.gapBefore ?? false)).toEqual([false, true, false]);
});

test("earlier messages that the server does not give are asked for again after a pause", async () => {
  said.push(other("one"), other("two"));
  chat.enterRoom("r");
  await joined();
  const later = vi.spyOn(globalThis, "setTimeout");
  let asked = 0;
  onHistory = () => {
    asked++;
    return { ok: false, error: { code: "internal", message: "internal" } };
  };
  const refused = chat.loadEarlier(key);
  const pause = () => later.mock.calls.find(([, delay]) => delay === 2_000)?.[0];
  await vi.waitFor(() => expect(pause()).toBeDefined());
  expect(conversation(key)?.earlier).toBe("loading");
  (pause() as () => void)();
  await refused;
  expect(conversation(key)?.earlier).toBe("more");
  expect(asked).toBe(1);
});

test("who comes while the rest of what was missed is fetched is there", async () => {
  chat.enterRoom("r");
  await joined();
  chat.send(key, "first");
  await settled();
  onHistory = (socket) => {
    socket.emit("user_joined", { room: "r", userId: "ben", user: "Ben", userCount: 2 });
    socket.emit("user_joined", { room: "r", userId: "cleo", user: "Cleo", userCount: 3 });
    socket.emit("user_left", { room: "r", userId: "ben", user: "Ben", userCount: 2 });
    return undefined;
  };
  connection.socket.disconnect();
  connection.connect();
  await vi.waitFor(() => expect(conversation(key)?.joined).toBe(false));
  await joined();
  expect([...(conversation(key)?.people.values() ?? [])].map((p) => p.user)).toEqual(["Ada", "Cleo"]);
  expect(conversation(key)?.userCount).toBe(2);
});

describe("a room that is not joined again", () => {
  const DEADLINE = 8_000; // of a request
  let asked: string[]; // joins of "r", by what the server did
  let answer: object | null | undefined;

  /** In the room, then without a connection, and the server does not answer. */
  beforeEach(async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] }); // the client takes them when it is made
    connection.socket.disconnect();
    said.push(other("first"));
    start();
    chat.enterRoom("r");
    await joined();
    asked = [];
    answer = null;
    onJoin = (room) => {
      if (room !== "r") return undefined;
      asked.push(answer === null ? "unanswered" : answer ? "refused" : "joined");
      return answer;
    };
    connection.socket.disconnect();
    connection.connect();
    await again(1);
  });

  /** Waits until it has been asked that often, the last time after a pause that is at most twice the one before. */
  const again = async (times: number) => {
    if (times > 1) await vi.advanceTimersByTimeAsync(1_500 * 2 ** (times - 2));
    await vi.waitFor(() => expect(asked).toHaveLength(times), { interval: 1 });
  };
  const unanswered = async () => {
    await vi.advanceTimersByTimeAsync(DEADLINE);
    expect(conversation(key)?.problem).toMatch("did not answer");
  };
  /** The server has let us in, if without an answer: what is said there now comes, and what was before it is missing. */
  const letIn = async () => {
    for (let i = 0; i < 3; i++) said.push(other(`missed ${i}`));
    for (let i = 0; i < 10; i++) relay(other(`live ${i}`));
    await vi.waitFor(() => expect(shown()).toContain("live 9"), { interval: 1 });
  };
  /** What was asked for has come by the time that another room is joined. */
  const quiet = async () => {
    const before = asked.length;
    await vi.advanceTimersByTimeAsync(3_000); // what the first two pauses may be
    chat.enterRoom("elsewhere");
    await joined(roomKey("elsewhere"));
    expect(asked).toHaveLength(before);
  };

  test("is asked for until the server answers, and misses nothing", async () => {
    await unanswered();
    await letIn();
    await again(2);
    await unanswered();
    answer = undefined;
    await again(3);
    await joined();
    expect(asked).toEqual(["unanswered", "unanswered", "joined"]);
    expect(shown()).toEqual(said.map((m) => m.content));
    expect(conversation(key)?.problem).toBeNull();
    await quiet();
  });

  test("is given up when the server refuses", async () => {
    await unanswered();
    answer = { ok: false, error: { code: "forbidden", message: "no" } };
    await again(2);
    await vi.waitFor(() => expect(conversation(key)?.problem).toMatch("not allowed"), { interval: 1 });
    await quiet();
  });

  test("is not asked for any more when it has been left", async () => {
    await unanswered();
    chat.leaveRoom("r");
    await quiet();
  });

  test("is not asked for by what an earlier connection began", async () => {
    await unanswered();
    connection.socket.off("disconnect", chat.disconnected); // the provider is unmounted
    connection.socket.off("connected", chat.on.connected);
    connection.socket.disconnect();
    connection.connect();
    await vi.waitFor(() => expect(connection.socket.connected).toBe(true), { interval: 1 });
    await quiet();
  });

  test("is asked for once at a time when somebody does not want to wait", async () => {
    await unanswered();
    await letIn();
    answer = undefined;
    chat.enterRoom("r");
    await joined();
    expect(shown()).toEqual(said.map((m) => m.content));
    await quiet();
  });
});

test("an outbox survives the page", async () => {
  chat.enterRoom("r");
  await joined();
  connection.socket.disconnect();
  chat.send(key, "kept");
  const { getState } = session;
  expect(getState().rooms).toEqual(["r"]);
  expect(outbox.load("name:Ada").map((letter) => letter.content)).toEqual(["kept"]);

  chatStore.setState({ ...initialChat, conversations: new Map() }); // the page is loaded again
  start();
  await joined();
  await settled();
  expect(said.map((m) => m.content)).toEqual(["kept"]);
  expect(outbox.load("name:Ada")).toEqual([]);
});

test("refused by the server, and sent again", async () => {
  chat.enterRoom("r");
  await joined();
  const answer = onMessage;
  onMessage = (_, ack) => ack({ ok: false, error: { code: "rate_limited", message: "Rate limit exceeded" } });
  chat.send(key, "quick");
  await vi.waitFor(() => expect(states()).toEqual(["failed"]));
  expect(conversation(key)?.timeline.pending[0]?.problem).toMatchObject({ retry: "same" });
  onMessage = answer;
  chat.retry(key, conversation(key)?.timeline.pending[0]?.clientMsgId ?? "");
  await settled();
  expect(said.map((m) => m.content)).toEqual(["quick"]);
});

test("too large for the server: trying again would not help", async () => {
  chat.enterRoom("r");
  await joined();
  onMessage = (_, ack) => ack({ ok: false, error: { code: "message_too_large", message: "too large" } });
  chat.send(key, "long");
  await vi.waitFor(() => expect(conversation(key)?.timeline.pending[0]?.problem?.retry).toBe("no"));
  chat.discard(key, conversation(key)?.timeline.pending[0]?.clientMsgId ?? "");
  expect(outbox.load("name:Ada")).toEqual([]);
});

test.each(["__proto__", "constructor", "toString", "r ".repeat(60)])("a room may be called %j", async (room) => {
  chat.enterRoom(room);
  await joined(roomKey(room));
  chat.send(roomKey(room), "hello");
  await vi.waitFor(() => expect(said).toHaveLength(1));
  await vi.waitFor(() => expect(shown(roomKey(room))).toEqual(["hello"]));
  expect(Object.getPrototypeOf({})).toBe(Object.prototype);
});

test("unread: what comes where nobody looks", async () => {
  chat.enterRoom("r");
  await joined();
  chat.enterRoom("elsewhere");
  await joined(roomKey("elsewhere"));
  relay(other("hi"));
  await vi.waitFor(() => expect(conversation(key)?.unread).toBe(1));
  chat.activate(key);
  expect(conversation(key)?.unread).toBe(0);
});
