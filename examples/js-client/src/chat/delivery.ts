// Sends what has been written: conversation by conversation, in each in the order of writing, one
// after the other, and only when the conversation is ready for it. What is written while offline
// simply waits here for its turn.

import { OFFLINE, request, RequestError, TIMEOUT, type AppSocket } from "../socket";
import { newId } from "../lib/ids";
import * as outbox from "./outbox";
import { session } from "./session";
import { chatStore, conversation, directKey, roomKey, update, type Conversation } from "./store";
import { confirm, discard, fail, note, retry, write, type Entry, type FileContent } from "./timeline";
import { problemOf, UNDELIVERED } from "./words";

const FILE_WITHIN = 60_000; // an answer to a file; it has to get there first
const PATIENCE = 1_000; // before trying again what came too fast
const TRIES = 5;

export interface Delivery {
  send: (key: string, content: string, file?: FileContent) => void;
  retry: (key: string, clientMsgId: string) => void;
  discard: (key: string, clientMsgId: string) => void;
  /** Puts back what a user's outbox has. */
  restore: (letters: outbox.Letter[]) => void;
  /** These came from the server; what was written here need not be kept any more, with or without an answer. */
  arrived: (key: string, entries: readonly Entry[]) => void;
  /** The conversation may be ready now. */
  flush: (key: string) => void;
}

export function createDelivery(socket: AppSocket): Delivery {
  const running = new Set<string>(); // conversations that are being flushed
  const hurried = new Set<string>(); // messages written while they could be sent at once
  let lastWritten = 0;

  async function flush(key: string): Promise<void> {
    if (running.has(key)) return;
    running.add(key);
    try {
      for (;;) {
        const c = conversation(key);
        const next = c?.timeline.pending.find((entry) => entry.state === "sending");
        if (!c || !next || !isReady(c)) return;
        await deliver(c, next);
      }
    } finally {
      running.delete(key);
    }
  }

  /** Afterwards the entry is confirmed, or failed, or discarded, or there is no connection. */
  async function deliver(c: Conversation, entry: Entry): Promise<void> {
    const id = entry.clientMsgId ?? "";
    for (let attempt = 1; ; attempt++) {
      try {
        const receipt = await emit(c, entry, id);
        update(c.key, ({ timeline }) => ({ timeline: confirm(timeline, id, receipt) }));
        settled(id);
        return;
      } catch (err) {
        const code = err instanceof RequestError ? err.code : "";
        if (code === OFFLINE) hurried.clear();
        if (!isPending(c.key, id)) return; // nobody waits for this answer any more
        if (code === OFFLINE && isRepeatable(c, entry)) return; // it goes again after the next connection
        if (attempt < TRIES && isReady(c)) {
          if (code === TIMEOUT && attempt === 1) continue;
          if (code === "rate_limited" && !hurried.has(id)) {
            update(c.key, ({ timeline }) => ({ timeline: note(timeline, id, "Waiting: the server takes only so many at once.") }));
            await new Promise((resolve) => setTimeout(resolve, PATIENCE));
            if (!isPending(c.key, id) || !isReady(c)) return;
            continue;
          }
        }
        const problem = problemOf(err);
        update(c.key, ({ timeline }) => ({ timeline: fail(timeline, id, problem) }));
        keep(c, { ...entry, problem });
        return;
      }
    }
  }

  async function emit(c: Conversation, entry: Entry, clientMsgId: string): Promise<{ id: string; timestamp: number }> {
    if (entry.file) {
      const { name, type, blob } = entry.file;
      const data = await blob.arrayBuffer();
      const { id } = await request(socket, "file_upload", [{ room: c.id, name, type, clientMsgId }, data], FILE_WITHIN);
      return { id, timestamp: Date.now() };
    }
    const { content } = entry;
    if (c.kind === "room") return request(socket, "message", [{ room: c.id, content, clientMsgId }]);
    const receipt = await request(socket, "direct_message", [{ to: c.id, content, clientMsgId }]);
    if (receipt.delivered === false) throw new RequestError(UNDELIVERED, `Not delivered: ${c.title} is not connected.`);
    return receipt;
  }

  function isReady(c: Conversation): boolean {
    return socket.connected && chatStore.getState().me !== null && (conversation(c.key)?.joined ?? false);
  }

  /** False once it has been discarded, or its relayed copy is there. */
  function isPending(key: string, clientMsgId: string): boolean {
    return conversation(key)?.timeline.pending.some((entry) => entry.clientMsgId === clientMsgId) ?? false;
  }

  /**
   * Whether it is one message however often it is sent. The server knows that by the user and the
   * clientMsgId; an anonymous user is another one with each connection, and then only messages to a
   * room are safe, for this page and the others see in its history that they are there already.
   */
  function isRepeatable(c: Conversation, entry: Entry): boolean {
    return (c.kind === "room" && !entry.file) || session.getState().credentials?.token !== null;
  }

  function settled(clientMsgId: string): void {
    const { user } = chatStore.getState();
    hurried.delete(clientMsgId);
    if (user !== null) outbox.forget(user, clientMsgId);
  }

  function keep(c: Conversation, entry: Entry): void {
    const { user } = chatStore.getState();
    if (user === null || entry.file || entry.clientMsgId === null) return; // files are too large for it
    outbox.keep(user, {
      clientMsgId: entry.clientMsgId,
      to: { kind: c.kind, id: c.id, title: c.title },
      content: entry.content,
      written: entry.timestamp,
      ...(entry.problem && { failed: entry.problem }),
    });
  }

  function compose(clientMsgId: string, content: string, written: number): Entry {
    const { me } = chatStore.getState();
    return {
      key: clientMsgId,
      id: null,
      clientMsgId,
      from: me?.userId ?? "",
      user: me?.name ?? "You",
      content,
      timestamp: written,
      mine: true,
      state: "sending",
    };
  }

  return {
    send(key, content, file) {
      const c = conversation(key);
      if (!c) return;
      lastWritten = Math.max(Date.now(), lastWritten + 1); // two messages have an order
      const entry = { ...compose(newId(), content, lastWritten), ...(file && { file }) };
      if (isReady(c)) hurried.add(entry.key);
      keep(c, entry);
      update(key, ({ timeline }) => ({ timeline: write(timeline, entry) }));
      void flush(key);
    },
    retry(key, clientMsgId) {
      const c = conversation(key);
      if (!c) return;
      const failed = c.timeline.pending.find((p) => p.clientMsgId === clientMsgId);
      const as = failed?.problem?.retry === "new" ? newId() : clientMsgId;
      if (as !== clientMsgId) settled(clientMsgId);
      update(key, ({ timeline }) => ({ timeline: retry(timeline, clientMsgId, as) }));
      const entry = conversation(key)?.timeline.pending.find((p) => p.clientMsgId === as);
      if (entry) keep(c, entry);
      void flush(key);
    },
    discard(key, clientMsgId) {
      update(key, ({ timeline }) => ({ timeline: discard(timeline, clientMsgId) }));
      settled(clientMsgId);
    },
    restore(letters) {
      for (const { clientMsgId, to, content, written, failed } of letters) {
        const c = conversation(to.kind === "room" ? roomKey(to.id) : directKey(to.id));
        if (!c) continue;
        let entry = compose(clientMsgId, content, written);
        if (failed) entry = { ...entry, state: "failed", problem: failed };
        update(c.key, ({ timeline }) => ({ timeline: write(timeline, entry) }));
      }
    },
    arrived(key, entries) {
      for (const { clientMsgId } of entries) {
        if (clientMsgId !== null && isPending(key, clientMsgId)) settled(clientMsgId);
      }
    },
    flush(key) {
      void flush(key);
    },
  };
}
