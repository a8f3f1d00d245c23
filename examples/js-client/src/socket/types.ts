import type { Socket } from "socket.io-client";
import type { Ack, ClientToServerEvents, ServerToClientEvents } from "../contract";

export type AppSocket = Socket<ServerToClientEvents, ClientToServerEvents>;

/** An event whose last argument is an acknowledgement. */
export type RequestEvent = {
  [E in keyof ClientToServerEvents]: Parameters<ClientToServerEvents[E]> extends [...unknown[], Ack<never>] ? E : never;
}[keyof ClientToServerEvents];

/** Its arguments, without the acknowledgement. */
export type RequestArgs<E extends RequestEvent> =
  Parameters<ClientToServerEvents[E]> extends [...infer Args, Ack<never>] ? Args : never;

/** What is acknowledged when the server is content. */
export type RequestAnswer<E extends RequestEvent> =
  Parameters<ClientToServerEvents[E]> extends [...unknown[], Ack<infer T>] ? T : never;
