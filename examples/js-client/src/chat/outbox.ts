// What has been written and not yet been answered for, kept in the browser: it survives a reload
// and a closed tab. One item a message, so that two tabs of one user do not overwrite each other;
// should both send one, its clientMsgId makes it one message.

import type { Problem } from "./timeline";
import { perBrowser, readItem, removeItem, writeItem } from "../lib/storage";

export interface Letter {
  clientMsgId: string;
  to: { kind: "room" | "direct"; id: string; title: string };
  content: string;
  written: number; // when
  failed?: Problem; // why it is not to be sent by itself
}

const PREFIX = "parlor.outbox/";

export function keep(user: string, letter: Letter): void {
  writeItem(perBrowser, keyOf(user, letter.clientMsgId), letter);
}

export function forget(user: string, clientMsgId: string): void {
  removeItem(perBrowser, keyOf(user, clientMsgId));
}

/** What is kept for a user, in the order of writing. */
export function load(user: string): Letter[] {
  const letters: Letter[] = [];
  for (const key of keys()) {
    if (!key.startsWith(keyOf(user, ""))) continue;
    const item = readItem(perBrowser, key);
    if (isLetter(item)) letters.push(item);
  }
  return letters.sort((a, b) => a.written - b.written);
}

/** Names and ids may have anything in them; a JSON string has a clear end. */
function keyOf(user: string, clientMsgId: string): string {
  return PREFIX + JSON.stringify(user) + clientMsgId;
}

function keys(): string[] {
  try {
    return Object.keys(perBrowser());
  } catch {
    return [];
  }
}

function isLetter(item: unknown): item is Letter {
  const { clientMsgId, to, content, written } = (item ?? {}) as { [K in keyof Letter]?: unknown };
  const { kind, id, title } = (to ?? {}) as { [K in keyof Letter["to"]]?: unknown };
  return (
    [clientMsgId, content, id, title].every((text) => typeof text === "string") &&
    typeof written === "number" &&
    (kind === "room" || kind === "direct")
  );
}
