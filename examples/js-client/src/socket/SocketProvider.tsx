import { useEffect, useState, type ReactNode } from "react";
import { getConnection, type Auth, type ConnectionOptions } from "./connection";
import { ConnectionContext } from "./context";

interface Props extends ConnectionOptions {
  /** Asked for each CONNECT, so that a new token needs no new socket. */
  auth?: Auth;
  /** Whether there should be a connection: false until somebody has signed in. */
  enabled?: boolean;
  children: ReactNode;
}

const nobody: Auth = () => ({});

/**
 * Gives everything below it one connection.
 *
 * The connection is not made by an effect, and an effect that is undone does not close it: in
 * StrictMode effects run twice, and the server would see two connections. See connection.ts.
 *
 * Effects of children run before those of their parents, so their listeners are there when this one
 * connects, and no event is missed, the first one included.
 */
export function SocketProvider({ auth = nobody, enabled = true, children, ...options }: Props) {
  const [connection] = useState(() => getConnection(options)); // what the options are later does not matter

  useEffect(() => connection.authenticate(auth), [connection, auth]);

  useEffect(() => {
    if (!enabled) return;
    const release = connection.retain();
    connection.connect();
    return release;
  }, [connection, enabled]);

  return <ConnectionContext value={connection}>{children}</ConnectionContext>;
}
