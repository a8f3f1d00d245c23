// @vitest-environment happy-dom
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { Chat } from "../chat/chat";
import { ChatContext } from "../chat/context";
import { chatStore, conversation, initialChat, open, roomKey, update } from "../chat/store";
import { SocketProvider } from "../socket";
import { Composer } from "./Composer";

const send = vi.fn();
const onFile = vi.fn();

function field(draft: string): HTMLElement {
  const key = open("room", "r", "r");
  update(key, () => ({ draft }));
  const c = conversation(roomKey("r"));
  if (!c) throw new Error("no room");
  render(
    <SocketProvider namespace="/chat" enabled={false}>
      <ChatContext value={{ send } as unknown as Chat}>
        <Composer conversation={c} onFile={onFile} fileError="" onFileErrorSeen={() => undefined} />
      </ChatContext>
    </SocketProvider>,
  );
  return screen.getByRole("textbox", { name: "Message" });
}

afterEach(() => {
  cleanup();
  send.mockReset();
  onFile.mockReset();
  chatStore.setState({ ...initialChat, conversations: new Map() });
});

test("Enter sends", () => {
  fireEvent.keyDown(field("hello"), { key: "Enter", keyCode: 13 });
  expect(send).toHaveBeenCalledTimes(1);
});

test.each([
  ["in Chromium and Firefox", { isComposing: true, keyCode: 229 }],
  ["in Safari, after the composition has ended", { isComposing: false, keyCode: 229 }],
])("the Enter that ends a composition does not send: %s", (_, how) => {
  const box = field("かな");
  const event = new KeyboardEvent("keydown", { key: "Enter", bubbles: true, isComposing: how.isComposing });
  Object.defineProperty(event, "keyCode", { value: how.keyCode });
  fireEvent(box, event);
  expect(send).not.toHaveBeenCalled();
});

test.each([
  ["cells of a spreadsheet", ["text/plain", "text/html", "Files"], false],
  ["a file", ["text/plain", "Files"], true],
  ["a picture of a page", ["text/html", "Files"], true],
])("pasted, %s", (_, types, sent) => {
  const file = new File(["…"], "image.png", { type: "image/png" });
  const byBrowser = fireEvent.paste(field(""), { clipboardData: { files: [file], types } });
  expect(byBrowser).toBe(!sent);
  expect(onFile.mock.calls).toEqual(sent ? [[file]] : []);
});
