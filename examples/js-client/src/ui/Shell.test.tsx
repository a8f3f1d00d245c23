// @vitest-environment happy-dom
import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ChatProvider } from "../chat/ChatProvider";
import { chatStore, initialChat, open, roomKey, update } from "../chat/store";
import { SocketProvider } from "../socket";
import { Shell } from "./Shell";

// As wide as a tablet: the people are in a drawer.
beforeEach(() => {
  open("room", "r", "r");
  chatStore.setState({ active: roomKey("r") });
  render(
    <SocketProvider namespace="/chat" enabled={false}>
      <ChatProvider>
        <Shell />
      </ChatProvider>
    </SocketProvider>,
  );
});

afterEach(() => {
  cleanup();
  chatStore.setState({ ...initialChat, conversations: new Map() });
});

test("what happens in the room leaves the focus in the drawer where it is", () => {
  const opener = screen.getByRole("button", { name: "Show people" });
  opener.focus();
  act(() => opener.click());
  const close = screen.getByRole("button", { name: "Close people" });
  close.focus();
  act(() => update(roomKey("r"), () => ({ userCount: 2 })));
  expect(document.activeElement).toBe(close);
  act(() => close.click());
  expect(document.activeElement).toBe(opener);
});
