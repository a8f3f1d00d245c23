const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

export function formatTime(timestamp: number): string {
  return clock.format(timestamp);
}

export function formatDay(timestamp: number, now = Date.now()): string {
  if (sameDay(timestamp, now)) return "Today";
  if (sameDay(timestamp, now - 24 * 60 * 60 * 1000)) return "Yesterday";
  return day.format(timestamp);
}

export function sameDay(a: number, b: number): boolean {
  return new Date(a).toDateString() === new Date(b).toDateString();
}
