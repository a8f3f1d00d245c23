import { useStore } from "zustand";
import { useConnection } from "./context";
import type { ConnectionStatus } from "./status";
import type { AppSocket } from "./types";

/** The socket itself. For events use useSocketEvent, for requests useAck. */
export function useSocket(): AppSocket {
  return useConnection().socket;
}

/** What can be said of the connection now; the component renders again when that changes. */
export function useConnectionStatus(): ConnectionStatus {
  return useStore(useConnection().status);
}
