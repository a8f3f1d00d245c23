/** Calls at most once per interval, at once the first time; the last arguments are never lost. */
export function throttle<A extends unknown[]>(call: (...args: A) => void, interval: number) {
  let latest: A | null = null;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const tick = () => {
    timer = undefined;
    if (!latest) return;
    const args = latest;
    latest = null;
    timer = setTimeout(tick, interval);
    call(...args);
  };
  return {
    call: (...args: A) => {
      latest = args;
      if (timer === undefined) tick();
    },
    cancel: () => {
      clearTimeout(timer);
      timer = undefined;
      latest = null;
    },
  };
}
