import { Manager } from "socket.io-client";
import { pickDelays, timing } from "./backoff";
import { reconnectNow, watchStatus, type StatusStore } from "./status";
import type { AppSocket } from "./types";

/** What is sent with CONNECT: {token}, {username}, or nothing. Asked again for each connection. */
export type Auth = () => Record<string, unknown>;

/** One socket and what is known of it. It lives outside of React: components come and go. */
export interface Connection {
  readonly socket: AppSocket;
  readonly status: StatusStore;
  readonly authenticate: (auth: Auth) => void;
  /** Connects, unless it is connected or on its way there. */
  readonly connect: () => void;
  /** Starts over at once. */
  readonly reconnect: () => void;
  /** Ends it, or the attempts to have it, until it is asked for again. */
  readonly disconnect: () => void;
  /** Keeps the connection open until the function it returns is called. */
  readonly retain: () => () => void;
}

export interface ConnectionOptions {
  namespace: string;
  url?: string; // default: where the page came from
  path?: string;
  transports?: readonly ("polling" | "websocket")[];
}

/**
 * How long a connection outlives its last user. React's StrictMode, and a hot reload, unmount
 * everything and mount it again at once; the server should not see any of that.
 */
const GRACE = 1_000;

export function createConnection({ namespace, url, transports = ["polling", "websocket"], ...options }: ConnectionOptions): Connection {
  const delays = pickDelays();
  const managerOptions = { ...options, transports: [...transports], ...timing(delays), autoConnect: false };
  const manager = url === undefined ? new Manager(managerOptions) : new Manager(url, managerOptions);
  const socket: AppSocket = manager.socket(namespace);
  const status = watchStatus(socket, delays);
  const disconnect = () => {
    socket.disconnect();
    status.setState({ state: "idle" }, true); // a socket that was not connected says nothing
  };
  let users = 0;
  let closing: ReturnType<typeof setTimeout> | undefined;

  return {
    socket,
    status,
    authenticate(auth) {
      socket.auth = (send) => send(auth());
    },
    connect() {
      if (socket.active) return; // connected, or on the way there
      status.setState({ state: "connecting" }, true);
      socket.connect();
    },
    reconnect() {
      reconnectNow(socket, status);
    },
    disconnect,
    retain() {
      users++;
      clearTimeout(closing);
      let retained = true;
      return () => {
        if (!retained) return;
        retained = false;
        users--;
        if (users > 0) return;
        closing = setTimeout(disconnect, GRACE);
      };
    },
  };
}

// The connections of this page by where they go: whoever asks twice gets the same one. Vite keeps
// hot.data when it replaces this module, and with it the connection.
const kept = import.meta.hot?.data as { connections?: Map<string, Connection> } | undefined;
const connections = kept?.connections ?? new Map<string, Connection>();
if (kept) kept.connections = connections;

/** The page's connection to a namespace, which is made, but not opened, when there is none. */
export function getConnection(options: ConnectionOptions): Connection {
  const key = JSON.stringify([options.url, options.path, options.namespace]);
  let connection = connections.get(key);
  if (!connection) {
    connection = createConnection(options);
    connections.set(key, connection);
  }
  return connection;
}
