import { useEffect, useRef, useState } from "react";
import { isMine } from "../chat/entries";
import { chatStore, roomKey } from "../chat/store";
import { useSocketEvent } from "../socket";
import type { ChatMessage } from "../contract";

const PAUSE = 1_000;
const LONGEST = 200;

/**
 * Reads new messages of the open conversation to users of screen readers: at most once a second,
 * several at once as a number. The log itself is silent, for it would also read out all of a
 * history that is loaded into it.
 */
export function Announcer() {
  const [said, setSaid] = useState({ text: "", turn: 0 });
  const waiting = useRef<string[]>([]);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);

  function announce(message: Pick<ChatMessage, "from" | "user" | "content">, key: string) {
    if (isMine(message.from) || chatStore.getState().active !== key) return;
    waiting.current.push(`${message.user}: ${message.content.slice(0, LONGEST)}`);
    timer.current ??= setTimeout(() => {
      const [only, ...others] = waiting.current;
      const text = others.length === 0 ? (only ?? "") : `${others.length + 1} new messages`;
      setSaid(({ turn }) => ({ text, turn: turn + 1 }));
      waiting.current = [];
      timer.current = undefined;
    }, PAUSE);
  }

  useSocketEvent("message", (message) => announce(message, roomKey(message.room)));
  useSocketEvent("chat_message", (message) => announce(message, roomKey(message.room)));
  useSocketEvent("direct_message", (message) => announce(message, `user:${message.from}`));
  useSocketEvent("file", (file) => announce({ ...file, content: `sent ${file.name}` }, roomKey(file.room)));
  useEffect(() => () => clearTimeout(timer.current), []);

  return (
    <div className="visually-hidden" aria-live="polite">
      {/* The same text twice is read twice only if it is another node. */}
      <p key={said.turn}>{said.text}</p>
    </div>
  );
}
