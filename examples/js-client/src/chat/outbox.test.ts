// @vitest-environment happy-dom
import { beforeEach, expect, test, vi } from "vitest";
import { forget, keep, load, type Letter } from "./outbox";

const letter = (clientMsgId: string, written: number): Letter => ({
  clientMsgId,
  to: { kind: "room", id: "__proto__", title: "__proto__" },
  content: clientMsgId,
  written,
});

beforeEach(() => localStorage.clear());

test("keeps letters per user, in the order of writing", () => {
  keep("id:1", letter("b", 2));
  keep("id:1", letter("a", 1));
  keep("id:10", letter("c", 3));
  expect(load("id:1").map((l) => l.clientMsgId)).toEqual(["a", "b"]);
  forget("id:1", "a");
  expect(load("id:1").map((l) => l.clientMsgId)).toEqual(["b"]);
});

test.each(["__proto__", 'a"b', "a/b", "\ud800", ""])("a user may be called %j", (user) => {
  keep(user, letter("a", 1));
  expect(load(user)).toHaveLength(1);
  expect(load(user + "x")).toEqual([]);
});

test("what it did not write is left alone", () => {
  keep("u", letter("a", 1));
  const key = Object.keys(localStorage)[0] ?? "";
  for (const item of ["{", "null", "[]", '{"clientMsgId":1}', '{"clientMsgId":"x","content":"y","written":1,"to":{"kind":"planet","id":"z","title":"z"}}']) {
    localStorage.setItem(key, item);
    expect(load("u")).toEqual([]);
  }
});

test("no storage, no outbox, and no exception", () => {
  const full = () => {
    throw new Error("QuotaExceededError");
  };
  vi.stubGlobal("localStorage", { getItem: full, setItem: full, removeItem: full });
  keep("u", letter("a", 1));
  expect(load("u")).toEqual([]);
  forget("u", "a");
  vi.unstubAllGlobals();
});
