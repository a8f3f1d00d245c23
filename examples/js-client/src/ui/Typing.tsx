import { useState } from "react";
import type { Conversation } from "../chat/store";
import type { ChatMessage } from "../contract";
import { useNow } from "../lib/useNow";
import { useSocketEvent } from "../socket";

/** How long somebody types who does not say that he has stopped. */
const STALE = 6_000;

interface Typist {
  name: string;
  since: number;
}

/** Who is writing. Not read out: it would come and go all the time. */
export function Typing({ conversation: c }: { conversation: Conversation }) {
  const [typists, setTypists] = useState<ReadonlyMap<string, Typist>>(new Map());
  const now = useNow(1_000, typists.size > 0);

  useSocketEvent("typing", (who) => {
    // Plain names do not say in which room; this page's own kind does.
    if (typeof who === "string" || c.kind !== "room" || who.room !== c.id) return;
    setTypists((old) => {
      const next = new Map(old);
      if (who.isTyping) next.set(who.userId, { name: who.user, since: Date.now() });
      else next.delete(who.userId);
      return next;
    });
  });
  const onMessage = (message: ChatMessage) => {
    if (message.room === c.id) setTypists((old) => without(old, message.from));
  };
  useSocketEvent("message", onMessage);
  useSocketEvent("chat_message", onMessage);
  useSocketEvent("user_left", (user) => {
    if (user.room === c.id) setTypists((old) => without(old, user.userId));
  });

  const names = [...typists.values()].filter(({ since }) => now - since < STALE).map(({ name }) => name);
  return (
    <p className="typing" role="status" aria-live="off">
      {names.length > 0 && (
        <>
          <span className="dots" aria-hidden="true">
            <i />
            <i />
            <i />
          </span>
          {sentence(names)}
        </>
      )}
    </p>
  );
}

function sentence(names: string[]): string {
  const [first = "", second = ""] = names;
  if (names.length === 1) return `${first} is typing…`;
  if (names.length === 2) return `${first} and ${second} are typing…`;
  return `${first} and ${names.length - 1} others are typing…`;
}

function without(typists: ReadonlyMap<string, Typist>, userId: string): ReadonlyMap<string, Typist> {
  if (!typists.has(userId)) return typists;
  const next = new Map(typists);
  next.delete(userId);
  return next;
}
