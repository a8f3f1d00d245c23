import { useEffect, useId, useLayoutEffect, useRef, type KeyboardEvent, type ClipboardEvent } from "react";
import { useChat } from "../chat/context";
import { update, useChatState, type Conversation } from "../chat/store";
import { byteLength, formatBytes } from "../lib/bytes";
import { Icon } from "./Icon";
import { useTypingSignal } from "./useTypingSignal";

interface Props {
  conversation: Conversation;
  onFile: ((file: File) => void) | undefined; // undefined: no files here
  fileError: string;
  onFileErrorSeen: () => void;
}

/** Where one writes. What is written stays with its conversation until it is sent. */
export function Composer({ conversation: c, onFile, fileError, onFileErrorSeen }: Props) {
  const chat = useChat();
  const limit = useChatState((state) => state.limits.messageBytes);
  const field = useRef<HTMLTextAreaElement>(null);
  const typing = useTypingSignal(c);
  const id = useId();

  const content = c.draft.trim();
  const length = byteLength(content);
  const tooLong = limit > 0 && length > limit;
  const nearLimit = limit > 0 && length > limit * 0.8;
  const error = tooLong ? `This is too long: it has ${formatBytes(length)}, and the server takes at most ${formatBytes(limit)}.` : fileError;

  // As high as its text, up to what CSS allows.
  useLayoutEffect(() => {
    if (!field.current) return;
    field.current.style.height = "auto";
    field.current.style.height = `${field.current.scrollHeight}px`;
  }, [c.draft]);

  // One comes to a conversation to write; but not on a phone, where the keyboard would cover it.
  useEffect(() => {
    if (matchMedia("(pointer: fine)").matches) field.current?.focus();
  }, []);

  function send() {
    if (content === "" || tooLong) return;
    chat.send(c.key, content);
    update(c.key, () => ({ draft: "" }));
    onFileErrorSeen();
    typing.stop();
    field.current?.focus();
  }

  function onKeyDown(event: KeyboardEvent) {
    // Enter also ends the composition of a word in some languages. For Safari it has ended by then; only the code tells.
    // eslint-disable-next-line @typescript-eslint/no-deprecated -- there is nothing in its place
    const composing = event.nativeEvent.isComposing || event.keyCode === 229;
    if (event.key !== "Enter" || event.shiftKey || composing) return;
    event.preventDefault();
    send();
  }

  function onPaste(event: ClipboardEvent) {
    const { files, types } = event.clipboardData;
    const file = files[0];
    // A spreadsheet gives its cells as text and, besides, as a picture. A copied file may come with its name as
    // plain text, and a copied picture with its markup, but neither with both.
    const isText = types.includes("text/plain") && types.includes("text/html");
    if (!file || !onFile || isText) return;
    event.preventDefault();
    onFile(file);
  }

  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <p className="composer-note" id={`${id}note`} role={error ? "alert" : undefined}>
        {error || (nearLimit ? `${formatBytes(length)} of ${formatBytes(limit)}` : "")}
      </p>
      <div className="composer-box">
        {onFile && (
          <label className="icon-button attach">
            <span className="visually-hidden">Attach a file</span>
            <Icon name="clip" />
            <input
              type="file"
              className="visually-hidden"
              onChange={(event) => {
                const file = event.target.files?.[0];
                event.target.value = ""; // the same file can be chosen again
                if (file) onFile(file);
              }}
            />
          </label>
        )}
        <textarea
          ref={field}
          rows={1}
          aria-label="Message"
          aria-describedby={`${id}note`}
          aria-invalid={tooLong}
          placeholder={c.kind === "room" ? "Write to the room" : `Write to ${c.title}`}
          value={c.draft}
          onChange={(event) => {
            const draft = event.target.value;
            update(c.key, () => ({ draft }));
            if (fileError) onFileErrorSeen();
            if (draft.trim() === "") typing.stop();
            else typing.start();
          }}
          onKeyDown={onKeyDown}
          onPaste={onPaste}
          onBlur={typing.stop}
        />
        <button type="submit" className="send" aria-label="Send" disabled={content === "" || tooLong}>
          <Icon name="send" />
        </button>
      </div>
    </form>
  );
}
