// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/react";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ChatProvider } from "../chat/ChatProvider";
import { SocketProvider } from "../socket";
import { getConnection } from "../socket/connection";
import { Profile } from "./Profile";

let io: Server;
let url: string;

beforeEach(async () => {
  const http = createServer();
  io = new Server(http);
  io.of("/chat").use((_, next) => next(Object.assign(new Error("Authentication error"), { data: { code: "token_expired" } })));
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});

afterEach(async () => {
  cleanup();
  await io.close();
});

test("signed out after a refusal, nothing is refused any more", async () => {
  render(
    <SocketProvider namespace="/chat" url={url} transports={["websocket"]}>
      <ChatProvider>
        <Profile />
      </ChatProvider>
    </SocketProvider>,
  );
  const { status } = getConnection({ namespace: "/chat", url });
  await vi.waitFor(() => expect(status.getState().state).toBe("refused"));
  act(() => screen.getByRole("button", { name: "Sign out" }).click());
  expect(status.getState().state).toBe("idle");
});
