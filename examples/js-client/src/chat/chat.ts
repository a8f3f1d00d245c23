// Keeps the page's chat and the server's together: joins, rejoins, fills gaps, sends what waits.

import { nextDelay, pickDelays, request, RequestError, TIMEOUT, type AppSocket } from "../socket";
import type { Joined, Member, Presence, ServerToClientEvents } from "../contract";
import { createDelivery, type Delivery } from "./delivery";
import { fromMessage, isMine } from "./entries";
import { breakIn, fillGap, type Gap } from "./gap";
import * as outbox from "./outbox";
import { enter, session, signOut } from "./session";
import { chatStore, close, conversation, directKey, initialChat, open, roomKey, rooms, update, updatePeople, type Conversation } from "./store";
import { receive, type Entry, type Timeline } from "./timeline";
import { problemWords } from "./words";

const PAGE = 50;
const PAUSE = 2_000; // before earlier messages that the server did not give are asked for again

type Handlers = Pick<
  ServerToClientEvents,
  "connected" | "message" | "direct_message" | "user_joined" | "user_left" | "presence"
>;

export interface Chat extends Delivery {
  /** What is to be done with these events. */
  readonly on: Handlers;
  /** Adds to a conversation what has just come. */
  add: (key: string, entry: Entry) => void;
  /** The connection has ended. */
  disconnected: () => void;
  /** Goes to a room, and joins it as soon as there is a connection. */
  enterRoom: (room: string) => void;
  leaveRoom: (room: string) => void;
  openDirect: (userId: string, name: string) => void;
  closeDirect: (userId: string) => void;
  activate: (key: string) => void;
  loadEarlier: (key: string) => Promise<void>;
  setStatus: (status: Presence) => void;
  /** Forgets everything, the outbox included. */
  leave: () => void;
}

/** Somebody came, went, or is more or less present. */
interface PeopleChange {
  apply: (people: Map<string, Member>) => void;
  userCount: number | undefined;
}

export function createChat(socket: AppSocket): Chat {
  const delivery = createDelivery(socket);
  const pauses = pickDelays();
  const joining = new Map<string, PeopleChange[]>(); // by key: rooms that are asked for, and what has happened in them since
  const known = new Map<string, string[]>(); // by key: what one has of rooms that one is not in, from when nothing was missing

  /**
   * Joins a room. A server that does not answer is asked again, with growing pauses: it may be busy,
   * and it may have let us in or not. Refused is refused.
   */
  async function join(room: string): Promise<void> {
    const key = open("room", room, room);
    const connection = socket.id; // another one after each disconnect
    const since: PeopleChange[] = [];
    joining.set(key, since);
    // Until the connection ends, the room is left, or somebody asks for it anew.
    const goesOn = () => socket.id === connection && joining.get(key) === since;
    if (!known.has(key)) known.set(key, knownIds(key)); // before anything new comes
    const again = (conversation(key)?.people.size ?? 0) > 0; // one was in it oneself
    for (let attempt = 0; goesOn(); attempt++) {
      since.length = 0; // the next answer knows of it
      try {
        const joined = await request(socket, "join", [{ room }]);
        const gap = goesOn() ? await missed(room, known.get(key) ?? [], joined) : null;
        if (gap && goesOn()) arrive(key, joined, gap, since, again);
        break;
      } catch (err) {
        if (!goesOn()) break;
        const unanswered = err instanceof RequestError && err.code === TIMEOUT;
        update(key, () => ({ problem: unanswered ? "The server did not answer. It is asked again." : problemWords(err) }));
        if (!unanswered) break;
        await new Promise((resolve) => setTimeout(resolve, nextDelay(attempt, pauses)));
      }
    }
    if (joining.get(key) === since) joining.delete(key);
  }

  /** One is in a room, and knows what was missed. */
  function arrive(key: string, joined: Joined, gap: Gap, since: readonly PeopleChange[], again: boolean): void {
    // The answer may be older than what has come meanwhile.
    const people = new Map(joined.users.map((user) => [user.userId, user]));
    for (const { apply } of since) apply(people);
    const userCount = since.findLast((change) => change.userCount !== undefined)?.userCount ?? joined.userCount;
    const entries = gap.messages.map(fromMessage).map((e) => ({ ...e, gapBefore: e.id === gap.brokenAt }));
    const first = known.get(key)?.length === 0;
    known.delete(key);
    delivery.arrived(key, entries);
    update(key, ({ timeline: before, earlier, unread }) => {
      const timeline = receive(before, entries);
      // What is there at the first time was said before one came.
      const news = again && !isSeen(key) ? countNew(before, timeline) : 0;
      return {
        timeline,
        people,
        userCount,
        joined: true,
        problem: null,
        earlier: !first ? earlier : joined.history.length > 0 ? "more" : "none",
        unread: unread + news,
      };
    });
    delivery.flush(key);
  }

  /** Changes who is in a room, or in every one. */
  function change(room: string | null, apply: PeopleChange["apply"], userCount?: number): void {
    for (const [key, since] of joining) {
      if (room === null || roomKey(room) === key) since.push({ apply, userCount });
    }
    updatePeople(room, apply, userCount);
  }

  /** What was said in a room since it was left, or lost; the last messages at the first time. */
  async function missed(room: string, ids: readonly string[], { history }: Joined): Promise<Gap> {
    if (ids.length === 0) return { messages: history, brokenAt: null };
    try {
      const gap = await fillGap(ids, (after) => request(socket, "history", [{ room, after, limit: 100 }]));
      // Messages that came while the pages did are in both.
      return { ...gap, messages: [...gap.messages, ...history] };
    } catch {
      return { messages: history, brokenAt: breakIn(ids, history) }; // better than not to be in the room
    }
  }

  function wantedRooms(): string[] {
    return rooms().map((c) => c.id);
  }

  function remember(): void {
    const { active } = chatStore.getState();
    const current = active === null ? undefined : conversation(active);
    session.setState({ rooms: wantedRooms(), ...(current?.kind === "room" && { active: current.id }) });
  }

  /** Begins with what this tab has kept; at the first connection, and when it is another user's. */
  function begin(user: string): void {
    const wanted = new Set([...session.getState().rooms, ...wantedRooms()]);
    const other = chatStore.getState().user !== null;
    if (other) {
      chatStore.setState({ ...initialChat, conversations: new Map() });
      session.setState({ ids: [] });
      known.clear();
    }
    chatStore.setState({ user });
    for (const room of wanted) open("room", room, room);
    const letters = outbox.load(user);
    for (const { to } of letters) {
      // A room is asked for again; a conversation with somebody takes no more than his id.
      const key = open(to.kind, to.id, to.title);
      if (to.kind === "direct") update(key, () => ({ joined: true }));
    }
    delivery.restore(letters);
    const { active } = session.getState();
    if (chatStore.getState().active === null) {
      const first = conversation(roomKey(active ?? "")) ?? rooms()[0];
      chatStore.setState({ active: first?.key ?? null });
    }
  }

  function activate(key: string): void {
    chatStore.setState({ active: key });
    update(key, () => ({ unread: 0 }));
    remember();
  }

  /** Gives up what was to be sent, and closes. */
  function drop(key: string): void {
    for (const { clientMsgId } of conversation(key)?.timeline.pending ?? []) {
      if (clientMsgId !== null) delivery.discard(key, clientMsgId);
    }
    close(key);
    joining.delete(key);
    known.delete(key);
    const { active } = chatStore.getState();
    if (active !== null) update(active, () => ({ unread: 0 })); // it may be another one, which is looked at now
    remember();
  }

  function add(key: string, entry: Entry): void {
    delivery.arrived(key, [entry]);
    update(key, ({ timeline: before, unread }) => {
      const timeline = receive(before, [entry]);
      return { timeline, unread: isSeen(key) ? unread : unread + countNew(before, timeline) };
    });
  }

  // After a reload everything is there at once, also while there is no connection.
  const { credentials, entered, ids } = session.getState();
  if (credentials && entered && chatStore.getState().user === null) begin(ownerOf(ids.at(-1) ?? ""));

  return {
    ...delivery,
    add,
    activate,
    on: {
      connected({ userId, user, limits }) {
        const owner = ownerOf(userId);
        if (chatStore.getState().user !== owner) begin(owner);
        enter(userId);
        chatStore.setState({ me: { userId, name: user }, limits });
        const { active, conversations, status } = chatStore.getState();
        if (status !== "online") void request(socket, "presence", [{ status }]).catch(() => undefined);
        // Whatever is looked at comes first.
        const all = [...conversations.values()].sort((a, b) => Number(b.key === active) - Number(a.key === active));
        for (const c of all) {
          if (c.kind === "room") void join(c.id);
          else delivery.flush(c.key);
        }
      },
      message(message) {
        add(roomKey(message.room), fromMessage(message));
      },
      direct_message(message) {
        const mine = isMine(message.from);
        const other = mine ? message.to : message.from;
        const key = open("direct", other, mine ? nameOf(other) : message.user);
        update(key, () => ({ joined: true }));
        add(key, fromMessage(message));
      },
      user_joined({ room, userId, user, userCount }) {
        change(room, (people) => people.set(userId, { userId, user, status: "online" }), userCount);
      },
      user_left({ room, userId, userCount }) {
        change(room, (people) => people.delete(userId), userCount);
      },
      presence({ userId, user, status }) {
        change(null, (people) => people.has(userId) && people.set(userId, { userId, user, status }));
      },
    },
    disconnected() {
      chatStore.setState(({ conversations }) => ({
        conversations: new Map(
          [...conversations].map(([key, c]) => [key, c.kind === "room" ? { ...c, joined: false } : c]),
        ),
      }));
    },
    enterRoom(room) {
      const key = open("room", room, room);
      activate(key);
      if (chatStore.getState().me !== null && socket.connected && conversation(key)?.joined === false) void join(room);
    },
    leaveRoom(room) {
      if (socket.connected) void request(socket, "leave", [{ room }]).catch(() => undefined);
      drop(roomKey(room));
    },
    openDirect(userId, name) {
      const key = open("direct", userId, name);
      update(key, () => ({ joined: true }));
      activate(key);
    },
    closeDirect(userId) {
      drop(directKey(userId));
    },
    async loadEarlier(key) {
      const c = conversation(key);
      const first = c?.timeline.numbered[0]?.id;
      if (!c || c.earlier !== "more" || !first || !c.joined) return;
      update(key, () => ({ earlier: "loading" }));
      try {
        const { messages, more } = await request(socket, "history", [{ room: c.id, before: first, limit: PAGE }]);
        const entries = messages.map(fromMessage);
        delivery.arrived(key, entries);
        update(key, ({ timeline }) => ({
          timeline: receive(timeline, entries),
          earlier: more && messages.length > 0 ? "more" : "none",
        }));
      } catch {
        // Scrolling up asks again, and a list that does not fill its box does so at once.
        await new Promise((resolve) => setTimeout(resolve, PAUSE));
        update(key, ({ earlier }) => ({ earlier: earlier === "loading" ? "more" : earlier }));
      }
    },
    setStatus(status) {
      chatStore.setState({ status });
      if (socket.connected) void request(socket, "presence", [{ status }]).catch(() => undefined);
      const { me } = chatStore.getState();
      if (me) change(null, (people) => people.has(me.userId) && people.set(me.userId, { userId: me.userId, user: me.name, status }));
    },
    leave() {
      for (const key of chatStore.getState().conversations.keys()) drop(key);
      chatStore.setState({ ...initialChat, conversations: new Map() });
      signOut();
    },
  };
}

/** Whose outbox it is: an anonymous user's id is another one with each connection. */
function ownerOf(userId: string): string {
  const { credentials } = session.getState();
  return credentials?.token === null ? `name:${credentials.name}` : `id:${userId}`;
}

/** Ids of messages, in order. Files are not in the history. */
function knownIds(key: string): string[] {
  const entries = conversation(key)?.timeline.numbered ?? [];
  return entries.flatMap((entry) => (entry.id !== null && !entry.file ? [entry.id] : []));
}

/** How many messages of others have come to a conversation. */
function countNew(before: Timeline, after: Timeline): number {
  const known = new Set(before.numbered.map((entry) => entry.key));
  return after.numbered.filter((entry) => entry.state === "received" && !known.has(entry.key)).length;
}

/** What is on the screen is read. */
function isSeen(key: string): boolean {
  return chatStore.getState().active === key && document.visibilityState === "visible";
}

function nameOf(userId: string): string {
  for (const room of rooms()) {
    const name = room.people.get(userId)?.user;
    if (name !== undefined) return name;
  }
  return userId;
}

export function unsent(conversations: Iterable<Conversation>): number {
  let count = 0;
  for (const c of conversations) count += c.timeline.pending.length;
  return count;
}
