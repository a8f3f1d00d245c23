// The delays between attempts to connect, known in advance so that the page can count them down.

export interface Delays {
  base: number;
  max: number;
}

/**
 * Picks this page's delays. The randomness that keeps a thousand pages from coming back at the same
 * moment is here, once a page, and not in each delay, where nobody could know it.
 */
export function pickDelays(random: () => number = Math.random): Delays {
  return { base: Math.round(500 + 1000 * random()), max: Math.round(10_000 + 5000 * random()) };
}

/** What a manager with these delays and without randomization waits after so many failed attempts. */
export function nextDelay(attempts: number, { base, max }: Delays): number {
  return Math.min(base * 2 ** attempts, max);
}

/** The options of the manager that make nextDelay true. */
export function timing({ base, max }: Delays) {
  return { reconnectionDelay: base, reconnectionDelayMax: max, randomizationFactor: 0 };
}

/** Seconds to show, never 0 while there is something to wait for. */
export function secondsLeft(until: number, now: number): number {
  return Math.max(1, Math.ceil((until - now) / 1000));
}
