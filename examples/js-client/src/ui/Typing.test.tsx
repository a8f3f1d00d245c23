// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import { chatStore, conversation, initialChat, open } from "../chat/store";
import { SocketProvider } from "../socket";
import { getConnection } from "../socket/connection";
import { Typing } from "./Typing";

afterEach(() => {
  cleanup();
  chatStore.setState({ ...initialChat, conversations: new Map() });
});

test.each(["message", "chat_message"] as const)("who has sent a %s does not type any more", (event) => {
  const c = conversation(open("room", "r", "r"));
  if (!c) throw new Error("no room");
  render(
    <SocketProvider namespace="/chat" enabled={false}>
      <Typing conversation={c} />
    </SocketProvider>,
  );
  const { socket } = getConnection({ namespace: "/chat" });
  const ben = { userId: "ben", user: "Ben", room: "r" };
  act(() => socket.listeners("typing").forEach((listen) => listen({ ...ben, isTyping: true })));
  screen.getByText("Ben is typing…");
  const message = { id: "1", room: "r", from: "ben", user: "Ben", content: "ok", timestamp: 1 };
  act(() => socket.listeners(event).forEach((listen) => listen(message)));
  expect(screen.queryByText("Ben is typing…")).toBeNull();
});
