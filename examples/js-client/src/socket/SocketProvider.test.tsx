// @vitest-environment happy-dom
import { act, cleanup, render, screen, waitFor } from "@testing-library/react";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { StrictMode, useEffect } from "react";
import { Server } from "socket.io";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { SocketProvider, useConnection, useConnectionStatus, useSocketEvent } from ".";

// Against a server that counts: what matters is what it sees.
let http: HttpServer;
let io: Server;
let url: string;
let seen: string[]; // "connect", "disconnect"

beforeEach(async () => {
  http = createServer();
  io = new Server(http);
  seen = [];
  io.of("/chat").on("connection", (socket) => {
    seen.push("connect");
    socket.emit("connected", { userId: socket.id, user: "Ada", limits: {} });
    socket.on("disconnect", () => seen.push("disconnect"));
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});

afterEach(async () => {
  cleanup();
  await io.close();
});

function Probe({ onConnected = () => undefined }: { onConnected?: () => void }) {
  const status = useConnectionStatus();
  const connection = useConnection();
  useSocketEvent("connected", onConnected);
  useEffect(() => {
    Object.assign(globalThis, { connection });
  }, [connection]);
  return <p>{status.state}</p>;
}

const app = (onConnected?: () => void, enabled = true) => (
  <StrictMode>
    <SocketProvider namespace="/chat" url={url} enabled={enabled} transports={["websocket"]}>
      <Probe {...(onConnected && { onConnected })} />
    </SocketProvider>
  </StrictMode>
);

const connected = () => waitFor(() => expect(screen.getByText("connected")).toBeTruthy());

test("StrictMode mounts twice, and connects once; the first event is not missed", async () => {
  const onConnected = vi.fn();
  render(app(onConnected));
  await connected();
  await waitFor(() => expect(onConnected).toHaveBeenCalledTimes(1));
  expect(seen).toEqual(["connect"]);
});

test("unmounted and mounted again at once, as a hot reload does, it is the same connection", async () => {
  const first = render(app());
  await connected();
  first.unmount();
  render(app());
  await connected();
  await new Promise((resolve) => setTimeout(resolve, 1200)); // longer than the grace
  expect(seen).toEqual(["connect"]);
});

test("unmounted for good, it is closed", async () => {
  const { unmount } = render(app());
  await connected();
  unmount();
  await waitFor(() => expect(seen).toEqual(["connect", "disconnect"]), { timeout: 3000 });
});

test("no connection before there should be one", async () => {
  const view = render(app(undefined, false));
  expect(screen.getByText("idle")).toBeTruthy();
  view.rerender(app());
  await connected();
  expect(seen).toEqual(["connect"]);
});

test("refused, with the code", async () => {
  io.of("/chat").use((_, next) => next(Object.assign(new Error("Authentication error"), { data: { code: "token_missing" } })));
  render(app());
  await waitFor(() => expect(screen.getByText("refused")).toBeTruthy());
  const { connection } = globalThis as unknown as { connection: ReturnType<typeof useConnection> };
  expect(connection.status.getState()).toEqual({ state: "refused", code: "token_missing", message: "Authentication error" });
});

test("disconnected by the server, it stays so until somebody wants it back", async () => {
  render(app());
  await connected();
  io.of("/chat").disconnectSockets();
  await waitFor(() => expect(screen.getByText("disconnected")).toBeTruthy());
  const { connection } = globalThis as unknown as { connection: ReturnType<typeof useConnection> };
  act(() => connection.reconnect());
  await connected();
});

test("a lost connection counts down to when it tries again", async () => {
  render(app());
  await connected();
  for (const socket of io.of("/chat").sockets.values()) socket.conn.close(); // no goodbye from the namespace
  await waitFor(() => expect(screen.getByText("reconnecting")).toBeTruthy());
  const { connection } = globalThis as unknown as { connection: ReturnType<typeof useConnection> };
  const status = connection.status.getState();
  expect(status.state === "reconnecting" && (status.retryAt ?? 0) - Date.now()).toBeGreaterThan(300);
  await waitFor(() => expect(screen.getByText("connected")).toBeTruthy(), { timeout: 3000 });
});
