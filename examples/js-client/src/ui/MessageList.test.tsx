// @vitest-environment happy-dom
import { act, cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Chat } from "../chat/chat";
import { ChatContext } from "../chat/context";
import { chatStore, conversation, initialChat, open, roomKey, update, useChatState } from "../chat/store";
import { receive, type Entry } from "../chat/timeline";
import { SocketProvider } from "../socket";
import { MessageList } from "./MessageList";

const key = roomKey("r");
const loadEarlier = vi.fn<Chat["loadEarlier"]>(() => Promise.resolve());

function entry(n: number): Entry {
  const id = String(n).padStart(3, "0");
  return { key: id, id, clientMsgId: null, from: "ben", user: "Ben", content: id, timestamp: n, mine: false, state: "received" };
}

const add = (...numbers: number[]) => act(() => update(key, ({ timeline }) => ({ timeline: receive(timeline, numbers.map(entry)) })));

function List() {
  const c = useChatState(({ conversations }) => conversations.get(key));
  return c && <MessageList conversation={c} />;
}

beforeEach(() => {
  loadEarlier.mockClear();
  open("room", "r", "r");
  add(51, 52, 53);
  render(
    <SocketProvider namespace="/chat" enabled={false}>
      <ChatContext value={{ loadEarlier } as unknown as Chat}>
        <List />
      </ChatContext>
    </SocketProvider>,
  );
});

afterEach(() => {
  cleanup();
  chatStore.setState({ ...initialChat, conversations: new Map() });
});

test("what is new is what has come below, not what was loaded above", () => {
  const log = screen.getByRole("log");
  Object.defineProperties(log, { scrollHeight: { value: 1000 }, clientHeight: { value: 100 } });
  log.scrollTop = 300;
  fireEvent.scroll(log);
  screen.getByRole("button", { name: "To the newest" });
  add(48, 49, 50);
  screen.getByRole("button", { name: "To the newest" });
  add(54);
  screen.getByRole("button", { name: "1 new" });
});

test("who has scrolled up keeps what is there, until back at the newest, or elsewhere", () => {
  const log = screen.getByRole("log");
  Object.defineProperties(log, { scrollHeight: { value: 1000 }, clientHeight: { value: 100 } });
  const scrollTo = (top: number) => {
    log.scrollTop = top;
    fireEvent.scroll(log);
  };
  const scrolledUp = () => conversation(key)?.scrolledUp;
  expect(scrolledUp()).toBe(false);
  scrollTo(300);
  expect(scrolledUp()).toBe(true);
  scrollTo(900);
  expect(scrolledUp()).toBe(false);
  scrollTo(300);
  cleanup();
  expect(scrolledUp()).toBe(false);
});

test("joined again, it asks for what did not come while there was no connection", () => {
  act(() => update(key, () => ({ earlier: "more", joined: false })));
  loadEarlier.mockClear();
  act(() => update(key, () => ({ joined: true })));
  expect(loadEarlier).toHaveBeenCalledTimes(1);
});
