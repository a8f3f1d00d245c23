import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { throttle } from "./throttle";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

test("at once, then at most once per interval, and the last is not lost", () => {
  const seen: number[] = [];
  const { call } = throttle((n: number) => seen.push(n), 33);
  for (let n = 0; n < 100; n++) {
    call(n);
    vi.advanceTimersByTime(10); // a second in all
  }
  vi.advanceTimersByTime(100);
  expect(seen[0]).toBe(0);
  expect(seen.at(-1)).toBe(99);
  expect(seen.length).toBeLessThanOrEqual(32);
  call(100);
  expect(seen.at(-1)).toBe(100);
});

test("cancelled, nothing comes after it", () => {
  const seen: number[] = [];
  const { call, cancel } = throttle((n: number) => seen.push(n), 33);
  call(1);
  call(2);
  cancel();
  vi.advanceTimersByTime(100);
  expect(seen).toEqual([1]);
});
