// What the page knows of the chat. Names of rooms and users come from anybody, and may be
// `__proto__`: they are keys of Maps here, never of objects.

import { useStore } from "zustand";
import { createStore } from "zustand/vanilla";
import type { Limits, Member, Presence } from "../contract";
import { emptyTimeline, type Timeline } from "./timeline";

export interface Conversation {
  readonly key: string;
  readonly kind: "room" | "direct";
  readonly id: string; // the room's name, or the other user's id
  readonly title: string;
  timeline: Timeline;
  people: ReadonlyMap<string, Member>; // of a room, by user id
  userCount: number;
  joined: boolean; // a room that we are in, with all that was missed; messages may be sent
  problem: string | null; // why we are not
  earlier: "more" | "loading" | "none"; // what there is before the first message
  scrolledUp: boolean; // its reader is further up than the newest message
  unread: number;
  draft: string;
}

export interface ChatState {
  user: string | null; // whose outbox it is
  me: { userId: string; name: string } | null;
  limits: Limits;
  conversations: ReadonlyMap<string, Conversation>;
  active: string | null; // a conversation's key
  status: Presence; // that the user has chosen
  expired: boolean; // the token has; the server waits a moment for a new one
}

const noLimits: Limits = { messageBytes: 0, fileBytes: 0, messagesPerSecond: 0 };

export const initialChat: ChatState = {
  user: null,
  me: null,
  limits: noLimits,
  conversations: new Map(),
  active: null,
  status: "online",
  expired: false,
};

export const chatStore = createStore<ChatState>(() => initialChat);

export function useChatState<T>(select: (state: ChatState) => T): T {
  return useStore(chatStore, select);
}

export function useActiveConversation(): Conversation | undefined {
  return useChatState((state) => (state.active === null ? undefined : state.conversations.get(state.active)));
}

export const roomKey = (room: string) => `room:${room}`;
export const directKey = (userId: string) => `user:${userId}`;

export function conversation(key: string): Conversation | undefined {
  return chatStore.getState().conversations.get(key);
}

/** Changes a conversation, if it is still there. */
export function update(key: string, change: (c: Conversation) => Partial<Conversation>): void {
  chatStore.setState(({ conversations }) => {
    const old = conversations.get(key);
    if (!old) return {};
    return { conversations: new Map(conversations).set(key, trim({ ...old, ...change(old) })) };
  });
}

/** How many messages a room keeps here, for a page that is left open on it. */
const MOST = 1_000;

/**
 * Takes from a room what is before its newest messages; whoever scrolls up to there asks for it again.
 * Not while somebody is further up, whose place would move, nor while earlier messages are on their
 * way, which go before the first. What two people write to each other is in no history, and stays.
 */
export function trim(c: Conversation, most = MOST): Conversation {
  const { numbered } = c.timeline;
  if (numbered.length <= most || c.kind === "direct" || c.scrolledUp || c.earlier === "loading") return c;
  return { ...c, timeline: { ...c.timeline, numbered: numbered.slice(-most) }, earlier: "more" };
}

/** Makes sure that there is such a conversation. */
export function open(kind: Conversation["kind"], id: string, title: string): string {
  const key = kind === "room" ? roomKey(id) : directKey(id);
  chatStore.setState(({ conversations }) => {
    if (conversations.has(key)) return {};
    const fresh: Conversation = {
      key,
      kind,
      id,
      title,
      timeline: emptyTimeline,
      people: new Map(),
      userCount: 0,
      joined: false,
      problem: null,
      earlier: "none",
      scrolledUp: false,
      unread: 0,
      draft: "",
    };
    return { conversations: new Map(conversations).set(key, fresh) };
  });
  return key;
}

/** Removes a conversation; another one is active then. */
export function close(key: string): void {
  chatStore.setState(({ conversations, active }) => {
    const rest = new Map(conversations);
    rest.delete(key);
    return { conversations: rest, active: active === key ? ([...rest.keys()][0] ?? null) : active };
  });
}

export function rooms(): Conversation[] {
  return [...chatStore.getState().conversations.values()].filter((c) => c.kind === "room");
}

/** Every room that a user is in gets to know of a change. */
export function updatePeople(room: string | null, change: (people: Map<string, Member>) => void, userCount?: number): void {
  for (const c of room === null ? rooms() : [conversation(roomKey(room))]) {
    if (!c) continue;
    const people = new Map(c.people);
    change(people);
    update(c.key, () => ({ people, userCount: userCount ?? c.userCount }));
  }
}
