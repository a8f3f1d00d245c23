import { expect, test } from "vitest";
import { confirm, discard, emptyTimeline, fail, receive, retry, write, type Entry, type Timeline } from "./timeline";

function from(user: string, id: string, content = id, clientMsgId: string | null = null): Entry {
  return { key: id, id, clientMsgId, from: user, user, content, timestamp: 1, mine: user === "me", state: user === "me" ? "sent" : "received" };
}

function draft(clientMsgId: string, content = clientMsgId): Entry {
  return { ...from("me", "", content, clientMsgId), key: clientMsgId, id: null, state: "sending" };
}

const ids = (timeline: Timeline) => timeline.numbered.map((entry) => entry.id);
const contents = (timeline: Timeline) => [...timeline.numbered, ...timeline.pending].map((entry) => entry.content);

test("messages are in the order of their ids, in whatever order they come", () => {
  let timeline = receive(emptyTimeline, [from("a", "3"), from("a", "1")]);
  timeline = receive(timeline, [from("a", "2"), from("a", "4")]);
  expect(ids(timeline)).toEqual(["1", "2", "3", "4"]);
});

test("a message that comes again is there once", () => {
  const timeline = receive(emptyTimeline, [from("a", "1"), from("a", "2"), from("a", "1")]);
  expect(ids(receive(timeline, [from("a", "2")]))).toEqual(["1", "2"]);
});

test("the relayed copy takes the place of what is being sent, and keeps its key", () => {
  const timeline = receive(write(emptyTimeline, draft("c1")), [from("me", "7", "c1", "c1")]);
  expect(timeline.pending).toEqual([]);
  expect(timeline.numbered).toMatchObject([{ id: "7", key: "c1", mine: true, state: "sent" }]);
  expect(confirm(timeline, "c1", { id: "7", timestamp: 2 })).toBe(timeline); // the acknowledgement after it
});

test("the acknowledgement may be first", () => {
  let timeline = confirm(write(emptyTimeline, draft("c1")), "c1", { id: "7", timestamp: 2 });
  timeline = receive(timeline, [from("me", "7", "c1", "c1")]);
  expect(timeline.numbered).toMatchObject([{ id: "7", key: "c1", state: "sent" }]);
});

test("what is pending comes last, in the order of writing", () => {
  let timeline = write(write(emptyTimeline, draft("c1")), draft("c2"));
  timeline = receive(timeline, [from("a", "9")]);
  expect(contents(timeline)).toEqual(["9", "c1", "c2"]);
});

test("a message that the server has twice is there once, where all pages agree: at the later id", () => {
  let timeline = receive(emptyTimeline, [from("a", "1", "hi", "c1"), from("b", "2")]);
  timeline = receive(timeline, [from("a", "3", "hi", "c1")]);
  expect(ids(timeline)).toEqual(["2", "3"]);
  timeline = receive(timeline, [from("a", "1", "hi", "c1")]);
  expect(ids(timeline)).toEqual(["2", "3"]);
});

test("a copied clientMsgId hides nothing of anybody else's", () => {
  const first = receive(emptyTimeline, [from("a", "1", "hi", "c1")]);
  expect(contents(receive(first, [from("b", "2", "hi", "c1")]))).toEqual(["hi", "hi"]);
  expect(contents(receive(first, [from("a", "2", "other", "c1")]))).toEqual(["hi", "other"]);
});

test("failed, and sent again after what was written later", () => {
  let timeline = write(write(emptyTimeline, draft("c1")), draft("c2"));
  timeline = fail(timeline, "c1", { text: "no", retry: "same" });
  expect(timeline.pending[0]).toMatchObject({ state: "failed", problem: { text: "no" } });
  timeline = retry(timeline, "c1");
  expect(timeline.pending.map((p) => [p.clientMsgId, p.state])).toEqual([["c2", "sending"], ["c1", "sending"]]);
  expect(timeline.pending[1]).not.toHaveProperty("problem");
});

test("discarded, and never twice in the outbox", () => {
  const timeline = write(write(emptyTimeline, draft("c1")), draft("c1"));
  expect(timeline.pending).toHaveLength(1);
  expect(discard(timeline, "c1").pending).toEqual([]);
});

test("nothing is changed in place", () => {
  const before = receive(emptyTimeline, [from("a", "1")]);
  receive(before, [from("a", "2")]);
  expect(ids(before)).toEqual(["1"]);
});
