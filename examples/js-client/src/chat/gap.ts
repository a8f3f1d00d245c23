// What was missed while there was no connection.

import type { ChatMessage } from "../contract";

interface Page {
  messages: ChatMessage[];
  more: boolean;
}

/** How many messages before the last known one to begin at. */
const OVERLAP = 5;
/** More than any history has; a server that always says that there is more is not asked for ever. */
const MOST_PAGES = 100;

export interface Gap {
  messages: ChatMessage[];
  /** The id of the first message before which some may be missing: the server does not keep them all. */
  brokenAt: string | null;
}

/**
 * Asks for what came after the messages that are known (their ids, in order), page by page.
 *
 * It begins a few messages before the last one: where several instances number messages, one that
 * was on its way when the connection ended may have a smaller id than the last that arrived. What
 * is known already is dropped by its id later.
 */
export async function fillGap(known: readonly string[], pageAfter: (id: string) => Promise<Page>): Promise<Gap> {
  const last = known.at(-1);
  let after = known.at(-1 - OVERLAP) ?? known[0];
  if (last === undefined || after === undefined) return { messages: [], brokenAt: null };

  const messages: ChatMessage[] = [];
  const overlaps = after !== last; // else nothing known can be in the answer
  for (let i = 0; i < MOST_PAGES; i++) {
    const page = await pageAfter(after);
    messages.push(...page.messages);
    const newest = page.messages.at(-1)?.id;
    if (!page.more || newest === undefined || newest <= after) break;
    after = newest;
  }
  return { messages, brokenAt: overlaps ? breakIn(known, messages) : null };
}

/** Where messages that should go on from the last known one do not: at the first that is new. */
export function breakIn(known: readonly string[], messages: readonly ChatMessage[]): string | null {
  const last = known.at(-1);
  if (messages.some((m) => m.id === last)) return null;
  const seen = new Set(known);
  return messages.find((m) => !seen.has(m.id))?.id ?? null;
}
