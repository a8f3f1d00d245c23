// @vitest-environment happy-dom
import { act, cleanup, render } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { chatStore, initialChat, open, roomKey } from "../chat/store";
import { SocketProvider } from "../socket";
import { getConnection } from "../socket/connection";
import { Announcer } from "./Announcer";

beforeEach(() => {
  vi.useFakeTimers();
  open("room", "r", "r");
  chatStore.setState({ active: roomKey("r") });
});

afterEach(() => {
  vi.useRealTimers();
  cleanup();
  chatStore.setState({ ...initialChat, conversations: new Map() });
});

function say(event: "message" | "chat_message", content: string) {
  const message = { id: content, room: "r", from: "ben", user: "Ben", content, timestamp: 1 };
  for (const listen of getConnection({ namespace: "/chat" }).socket.listeners(event)) listen(message);
  act(() => void vi.advanceTimersByTime(1_000));
}

// What a screen reader reads is what is put into the live region.
test.each(["message", "chat_message"] as const)("%s is read, also when it says the same again", (event) => {
  const { container } = render(
    <SocketProvider namespace="/chat" enabled={false}>
      <Announcer />
    </SocketProvider>,
  );
  const region = container.querySelector("[aria-live]");
  say(event, "ok");
  expect(region?.textContent).toBe("Ben: ok");
  const first = region?.lastChild;
  say(event, "ok");
  expect(region?.textContent).toBe("Ben: ok");
  expect(region?.lastChild).not.toBe(first);
});
