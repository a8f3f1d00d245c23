import { useEffect, useState } from "react";

/** The time, to render again with every so often; it stands still while inactive. */
export function useNow(interval: number, active = true): number {
  const [now, setNow] = useState(Date.now);

  useEffect(() => {
    if (!active) return;
    const tick = () => setNow(Date.now());
    const first = setTimeout(tick); // what was kept may be old
    const timer = setInterval(tick, interval);
    return () => {
      clearTimeout(first);
      clearInterval(timer);
    };
  }, [interval, active]);
  return now;
}
