// The messages of one conversation, as pure functions: what the server has numbered, in its order,
// and after that what it has not yet answered for, in the order of writing.

export interface FileContent {
  name: string;
  type: string;
  size: number;
  blob: Blob;
}

export interface Problem {
  text: string;
  retry: "no" | "same" | "new"; // whether sending it again could help, and if so as what
}

export interface Entry {
  key: string; // for React: the same before and after the server has given it an id
  id: string | null; // null: the server has not answered for it
  clientMsgId: string | null;
  from: string;
  user: string;
  content: string;
  timestamp: number;
  mine: boolean;
  state: "sending" | "sent" | "failed" | "received";
  problem?: Problem;
  file?: FileContent;
  gapBefore?: boolean; // messages may be missing before this one
}

export interface Timeline {
  numbered: readonly Entry[]; // by id
  pending: readonly Entry[]; // sending or failed
}

export const emptyTimeline: Timeline = { numbered: [], pending: [] };

/**
 * Adds what came from the server: live, as history, or as the relayed copy of what was sent here.
 * In any order, any number of times; each message is there once afterwards.
 */
export function receive(timeline: Timeline, incoming: readonly Entry[]): Timeline {
  let { pending } = timeline;
  const numbered = timeline.numbered.slice();
  for (const entry of incoming) {
    if (entry.id === null) continue;
    const sent = entry.clientMsgId !== null && pending.find((p) => p.clientMsgId === entry.clientMsgId);
    if (sent) pending = pending.filter((p) => p !== sent);
    insert(numbered, sent ? { ...entry, key: sent.key, mine: true, state: "sent" } : entry);
  }
  return { numbered, pending };
}

function insert(numbered: Entry[], entry: Entry): void {
  const id = entry.id ?? "";
  const twin = numbered.findLastIndex((other) => other.id === id || isSame(other, entry));
  const known = twin >= 0 ? numbered[twin] : undefined;
  if (known) {
    if ((known.id ?? "") >= id) return;
    // The same message under a later id, which all pages have seen: the place they agree on.
    numbered.splice(twin, 1);
    entry = { ...known, id, timestamp: entry.timestamp };
  }
  let at = numbered.length; // nearly always the last
  while (at > 0 && (numbered[at - 1]?.id ?? "") > id) at--;
  numbered.splice(at, 0, entry);
}

/**
 * Whether a message has been sent twice: its acknowledgement was lost, and the server did not know
 * any more that it had it (it has started again) or that it was of the same user (the id of an
 * anonymous one is new with each connection). An id that somebody copied is not enough.
 */
function isSame(a: Entry, b: Entry): boolean {
  return (
    a.clientMsgId !== null &&
    a.clientMsgId === b.clientMsgId &&
    a.content === b.content &&
    (a.from === b.from || a.user === b.user)
  );
}

/** Adds what was written here, at the end. */
export function write(timeline: Timeline, entry: Entry): Timeline {
  if (timeline.pending.some((p) => p.clientMsgId === entry.clientMsgId)) return timeline;
  return { ...timeline, pending: [...timeline.pending, entry] };
}

/** The server has answered for a message; its relayed copy may have been here before. */
export function confirm(timeline: Timeline, clientMsgId: string, receipt: { id: string; timestamp: number }): Timeline {
  const entry = timeline.pending.find((p) => p.clientMsgId === clientMsgId);
  if (!entry) return timeline;
  const rest = { ...timeline, pending: timeline.pending.filter((p) => p !== entry) };
  return receive(rest, [withoutProblem({ ...entry, ...receipt, state: "sent" })]);
}

export function fail(timeline: Timeline, clientMsgId: string, problem: Problem): Timeline {
  return change(timeline, clientMsgId, (entry) => ({ ...entry, state: "failed", problem }));
}

/** Says what keeps a message from being sent, which goes on. */
export function note(timeline: Timeline, clientMsgId: string, text: string): Timeline {
  return change(timeline, clientMsgId, (entry) => ({ ...entry, problem: { text, retry: "no" } }));
}

/** To be sent again, at the end: what was written later may have been sent already. */
export function retry(timeline: Timeline, clientMsgId: string, as = clientMsgId): Timeline {
  const entry = timeline.pending.find((p) => p.clientMsgId === clientMsgId);
  if (!entry) return timeline;
  const again = withoutProblem({ ...entry, clientMsgId: as, state: "sending" });
  return { ...timeline, pending: [...timeline.pending.filter((p) => p !== entry), again] };
}

export function discard(timeline: Timeline, clientMsgId: string): Timeline {
  return { ...timeline, pending: timeline.pending.filter((p) => p.clientMsgId !== clientMsgId) };
}

function change(timeline: Timeline, clientMsgId: string, to: (entry: Entry) => Entry): Timeline {
  return { ...timeline, pending: timeline.pending.map((p) => (p.clientMsgId === clientMsgId ? to(p) : p)) };
}

function withoutProblem({ problem, ...entry }: Entry): Entry {
  return entry;
}
