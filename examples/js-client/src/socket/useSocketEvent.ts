import { useEffect, useEffectEvent } from "react";
import type { ServerToClientEvents } from "../contract";
import { useSocket } from "./useSocket";

/** The types of on and off do not see through a generic event name; those of useSocketEvent do. */
interface Untyped {
  on: (event: string, listener: (...args: unknown[]) => void) => void;
  off: (event: string, listener: (...args: unknown[]) => void) => void;
}

/**
 * Calls the handler for each event of that name while the component is mounted. The handler may be
 * a new function at every render and sees the latest props and state; the listener stays.
 */
export function useSocketEvent<E extends keyof ServerToClientEvents>(event: E, handler: ServerToClientEvents[E]): void {
  const socket = useSocket() as unknown as Untyped;
  const onEvent = useEffectEvent(handler as (...args: unknown[]) => void);

  useEffect(() => {
    const listener = (...args: unknown[]) => onEvent(...args);
    socket.on(event, listener);
    return () => socket.off(event, listener);
  }, [socket, event]);
}
