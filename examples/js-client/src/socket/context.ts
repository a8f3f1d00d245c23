import { createContext, use } from "react";
import type { Connection } from "./connection";

export const ConnectionContext = createContext<Connection | null>(null);

/** The connection of the nearest SocketProvider. */
export function useConnection(): Connection {
  const connection = use(ConnectionContext);
  if (!connection) throw new Error("useConnection, useSocket and their like need a SocketProvider above them");
  return connection;
}
