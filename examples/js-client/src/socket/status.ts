import type { Manager } from "socket.io-client";
import { createStore, type StoreApi } from "zustand/vanilla";
import { nextDelay } from "./backoff";
import type { AppSocket } from "./types";

/** What a page can say about its connection. */
export type ConnectionStatus =
  | { state: "idle" } // nobody asked for one
  | { state: "connecting" }
  | { state: "connected"; transport: string } // "polling", then mostly "websocket"
  | { state: "reconnecting"; retryAt: number | null } // null: trying right now
  | { state: "offline" } // the browser says that there is no network
  | { state: "refused"; code: string; message: string } // by the namespace; trying again needs something else
  | { state: "disconnected" }; // by the server; it does not want us back by ourselves

export type StatusStore = StoreApi<ConnectionStatus>;

/** Follows a socket, from its making on. The socket's manager is to have been made with timing(). */
export function watchStatus(socket: AppSocket, delays: { base: number; max: number }): StatusStore {
  const status = createStore<ConnectionStatus>(() => ({ state: "idle" }));
  const set = (next: ConnectionStatus) => status.setState(next, true);
  const manager: Manager = socket.io;
  let attempts = 0;

  /** The manager is waiting; says until when. */
  const waiting = () =>
    set(isOffline() ? { state: "offline" } : { state: "reconnecting", retryAt: Date.now() + nextDelay(attempts, delays) });

  // The manager's engine is a new one each time, and begins with polling.
  manager.on("open", () => {
    manager.engine.on("upgrade", (transport: { name: string }) => {
      if (socket.connected) set({ state: "connected", transport: transport.name });
    });
  });
  // The manager counts from the beginning then; no disconnect says so when there was no connection.
  manager.on("close", () => {
    attempts = 0;
  });
  manager.on("reconnect_attempt", (attempt) => {
    attempts = attempt;
    if (!isOffline()) set({ state: "reconnecting", retryAt: null });
  });

  socket.on("connect", () => {
    attempts = 0;
    set({ state: "connected", transport: manager.engine.transport.name });
  });
  socket.on("connect_error", (err: Error & { data?: unknown }) => {
    // An active socket tries again by itself: the server could not be reached.
    if (socket.active) waiting();
    else set({ state: "refused", code: codeOf(err.data), message: err.message });
  });
  socket.on("disconnect", (reason) => {
    if (socket.active) waiting();
    else set({ state: reason === "io client disconnect" ? "idle" : "disconnected" });
  });

  // Both last as long as the socket, which is as long as the page.
  addEventListener("offline", () => {
    if (socket.active && !socket.connected) set({ state: "offline" });
  });
  addEventListener("online", () => {
    if (status.getState().state === "offline") reconnectNow(socket, status);
  });
  return status;
}

/** Starts over at once: with other credentials, or because somebody does not want to wait. */
export function reconnectNow(socket: AppSocket, status: StatusStore): void {
  socket.disconnect(); // also ends the manager's waiting, which nothing else does
  status.setState({ state: "connecting" }, true);
  socket.connect();
}

/** False says something, true does not: the server may still be out of reach. */
function isOffline(): boolean {
  return !navigator.onLine;
}

function codeOf(data: unknown): string {
  if (typeof data === "object" && data !== null && "code" in data && typeof data.code === "string") return data.code;
  return "";
}
