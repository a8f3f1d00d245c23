// @vitest-environment happy-dom
import { act, cleanup, render, renderHook, screen, waitFor } from "@testing-library/react";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { StrictMode, useEffect } from "react";
import { Server } from "socket.io";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createConnection } from "./connection";
import { SocketProvider, useAck, useConnection, useConnectionStatus, useSocketEvent } from ".";

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

test("two requests at the same time are pending until both are answered", async () => {
  const answers: (() => void)[] = [];
  io.of("/chat").on("connection", (socket) => {
    socket.on("presence", (_: object, ack: (answer: object) => void) => answers.push(() => ack({ ok: true })));
  });
  const { result } = renderHook(() => ({ ...useAck("presence"), status: useConnectionStatus() }), {
    wrapper: ({ children }) => (
      <SocketProvider namespace="/chat" url={url} transports={["websocket"]}>
        {children}
      </SocketProvider>
    ),
  });
  await waitFor(() => expect(result.current.status.state).toBe("connected"));
  const requests: Promise<unknown>[] = [];
  act(() => void requests.push(result.current.send({ status: "away" }), result.current.send({ status: "online" })));
  await waitFor(() => expect(answers).toHaveLength(2));
  answers[0]?.();
  await act(async () => {
    await requests[0];
  });
  expect(result.current.pending).toBe(true);
  answers[1]?.();
  await act(async () => {
    await requests[1];
  });
  expect(result.current.pending).toBe(false);
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

test("tried at once, it counts down anew", async () => {
  vi.spyOn(Math, "random").mockReturnValue(0); // the first wait is 500 ms, the second 1000
  await io.close();
  const { socket, status, connect, reconnect } = createConnection({ namespace: "/chat", url });
  const waits: number[] = [];
  status.subscribe((now) => {
    if (now.state === "reconnecting" && now.retryAt !== null) waits.push(now.retryAt - Date.now());
  });
  connect();
  await waitFor(() => expect(waits.length).toBeGreaterThanOrEqual(2), { timeout: 10_000 });
  expect(waits[1]).toBeGreaterThan(500);
  const before = waits.length;
  reconnect();
  await waitFor(() => expect(waits.length).toBeGreaterThan(before), { timeout: 10_000 });
  expect(waits[before]).toBeLessThanOrEqual(500);
  socket.disconnect();
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
