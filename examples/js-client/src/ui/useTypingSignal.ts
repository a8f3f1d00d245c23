import { useEffect, useMemo } from "react";
import type { Conversation } from "../chat/store";
import { useSocket, type AppSocket } from "../socket";

const AGAIN = 3_000; // while somebody goes on typing
const IDLE = 4_000; // after the last key

/** Tells the room that somebody is writing: when it begins, now and then, and when it ends. */
export function useTypingSignal({ kind, id }: Conversation) {
  const socket = useSocket();
  const signal = useMemo(() => createSignal(socket, kind === "room" ? id : null), [socket, kind, id]);

  useEffect(() => signal.stop, [signal]);
  return signal;
}

function createSignal(socket: AppSocket, room: string | null) {
  let said = 0; // when, 0: not typing
  let idle: ReturnType<typeof setTimeout> | undefined;

  const say = (isTyping: boolean) => {
    said = isTyping ? Date.now() : 0;
    // Volatile: of no use later.
    if (room !== null && socket.connected) socket.volatile.emit("typing", { room, isTyping });
  };
  const stop = () => {
    clearTimeout(idle);
    if (said > 0) say(false);
  };
  const start = () => {
    clearTimeout(idle);
    idle = setTimeout(stop, IDLE);
    if (Date.now() - said > AGAIN) say(true);
  };
  return { start, stop };
}
