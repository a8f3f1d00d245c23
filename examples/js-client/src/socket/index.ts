// What an app uses. Copy this folder and contract.ts.
export { nextDelay, pickDelays } from "./backoff";
export type { Auth, Connection } from "./connection";
export { useConnection } from "./context";
export { OFFLINE, request, RequestError, TIMEOUT } from "./request";
export { SocketProvider } from "./SocketProvider";
export type { ConnectionStatus } from "./status";
export type { AppSocket } from "./types";
export { useAck } from "./useAck";
export { useConnectionStatus, useSocket } from "./useSocket";
export { useSocketEvent } from "./useSocketEvent";
