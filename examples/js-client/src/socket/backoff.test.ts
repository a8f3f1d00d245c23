import { expect, test } from "vitest";
import { Manager } from "socket.io-client";
import { nextDelay, pickDelays, secondsLeft, timing } from "./backoff";

test("what is counted down is what the manager waits", () => {
  const delays = pickDelays();
  const manager = new Manager("http://localhost", { ...timing(delays), autoConnect: false });
  const { backoff } = manager as unknown as { backoff: { duration: () => number } };
  for (let attempts = 0; attempts < 12; attempts++) {
    expect(nextDelay(attempts, delays)).toBe(backoff.duration());
  }
});

test("pages do not all come back at the same moment", () => {
  expect(pickDelays(() => 0)).toEqual({ base: 500, max: 10_000 });
  expect(pickDelays(() => 0.999_999)).toEqual({ base: 1500, max: 15_000 });
});

test("seconds are rounded up, and never 0", () => {
  expect([5000, 4001, 4000, 1, 0, -200].map((left) => secondsLeft(10_000 + left, 10_000))).toEqual([5, 5, 4, 1, 1, 1]);
});
