import { expect, test, vi } from "vitest";
import type { ChatMessage } from "../contract";
import { fillGap } from "./gap";

const id = (n: number) => String(n).padStart(4, "0");
const message = (n: number): ChatMessage => ({ id: id(n), room: "r", from: "a", user: "a", content: "", timestamp: n });

/** A server that keeps the messages from first to last, a few a page. */
function history(first: number, last: number, size = 3) {
  return vi.fn((after: string) => {
    const all = Array.from({ length: last - first + 1 }, (_, i) => message(first + i)).filter((m) => m.id > after);
    return Promise.resolve({ messages: all.slice(0, size), more: all.length > size });
  });
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, i) => id(first + i));

test("pages until there is no more, from a few messages before the last known one", async () => {
  const pages = history(1, 20);
  const gap = await fillGap(range(1, 10), pages);
  expect(pages.mock.calls[0]).toEqual([id(5)]);
  expect(gap.messages.map((m) => m.id)).toEqual(range(6, 20));
  expect(gap.brokenAt).toBeNull();
});

test("nothing known, nothing to fill", async () => {
  const pages = history(1, 20);
  expect(await fillGap([], pages)).toEqual({ messages: [], brokenAt: null });
  expect(pages).not.toHaveBeenCalled();
});

test("says where messages are missing that the server has forgotten", async () => {
  expect((await fillGap(range(1, 10), history(15, 17))).brokenAt).toBe(id(15));
  expect((await fillGap(range(1, 10), history(10, 17))).brokenAt).toBeNull();
  expect((await fillGap(range(1, 10), history(11, 10))).brokenAt).toBeNull(); // nothing new
});

test("one known message", async () => {
  const gap = await fillGap([id(3)], history(1, 5));
  expect(gap.messages.map((m) => m.id)).toEqual(range(4, 5));
});

test("a server that always has more is not asked for ever", async () => {
  const stuck = vi.fn(() => Promise.resolve({ messages: [message(1)], more: true }));
  await fillGap(range(1, 10), stuck);
  expect(stuck).toHaveBeenCalledTimes(1);
});
