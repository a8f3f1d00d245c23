import { beforeEach, expect, test } from "vitest";
import { chatStore, conversation, initialChat, open, roomKey, trim, update, type Conversation } from "./store";
import { emptyTimeline, receive, type Entry } from "./timeline";

const key = roomKey("r");

function entries(first: number, last: number): Entry[] {
  return Array.from({ length: last - first + 1 }, (_, i) => {
    const id = String(first + i).padStart(6, "0");
    return { key: id, id, clientMsgId: null, from: "ben", user: "Ben", content: "", timestamp: 1, mine: false, state: "received" };
  });
}

/** A room with that many messages. */
function room(messages: number, change: Partial<Conversation> = {}): Conversation {
  const c = conversation(open("room", "r", "r"));
  if (!c) throw new Error("there is no such room");
  return { ...c, timeline: receive(emptyTimeline, entries(1, messages)), ...change };
}

const span = ({ timeline: { numbered } }: Conversation) => [numbered[0]?.id, numbered.at(-1)?.id];

beforeEach(() => chatStore.setState({ ...initialChat, conversations: new Map() }));

test("a room keeps its newest messages, and the earlier ones can be asked for again", () => {
  const pending = entries(1, 1);
  const full = room(7);
  const trimmed = trim({ ...full, timeline: { ...full.timeline, pending } }, 5);
  expect(span(trimmed)).toEqual(["000003", "000007"]);
  expect(trimmed.earlier).toBe("more");
  expect(trimmed.timeline.pending).toBe(pending); // what is written here is not the server's yet
  expect(trim(trimmed, 5)).toBe(trimmed);
});

test.each<[string, Partial<Conversation>]>([
  ["whose reader has scrolled up", { scrolledUp: true }],
  ["to which earlier messages are on their way, which join on to the first", { earlier: "loading" }],
  ["that is a conversation with somebody, of which the server has no history", { kind: "direct" }],
])("nothing is taken from one %s", (_, change) => {
  const c = room(7, change);
  expect(trim(c, 5)).toBe(c);
});

test("whatever happens to a room, it does not grow without bound, until somebody reads further up", () => {
  open("room", "r", "r");
  const add = (first: number, last: number) =>
    update(key, ({ timeline }) => ({ timeline: receive(timeline, entries(first, last)) }));
  const count = () => conversation(key)?.timeline.numbered.length;

  add(1, 2_500);
  expect(count()).toBe(1_000);
  update(key, () => ({ scrolledUp: true }));
  add(2_501, 3_000);
  expect(count()).toBe(1_500);
  update(key, () => ({ scrolledUp: false })); // back at the newest
  expect(count()).toBe(1_000);
  expect(conversation(key)?.timeline.numbered[0]?.id).toBe("002001");
});
