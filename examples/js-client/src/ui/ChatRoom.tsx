import { useState } from "react";
import { useChat } from "../chat/context";
import type { Conversation } from "../chat/store";
import { formatBytes } from "../lib/bytes";
import { useChatState } from "../chat/store";
import { Banner } from "./Banner";
import { Composer } from "./Composer";
import { ConnectionState } from "./ConnectionState";
import { Icon } from "./Icon";
import { MessageList } from "./MessageList";
import type { Drawer } from "./Shell";
import { Typing } from "./Typing";
import { useUnread } from "./usePageTitle";

interface Props {
  conversation: Conversation | undefined;
  onOpen: (drawer: Drawer) => void;
}

/** One conversation: its head, its messages, and what is being written. */
export function ChatRoom({ conversation: c, onOpen }: Props) {
  const chat = useChat();
  const limit = useChatState((state) => state.limits.fileBytes);
  const [fileError, setFileError] = useState("");

  function attach(file: File) {
    if (!c) return;
    const { name, type, size } = file;
    if (limit > 0 && size > limit) {
      setFileError(`${name} is too large: it has ${formatBytes(size)}, and the server takes at most ${formatBytes(limit)}.`);
      return;
    }
    setFileError("");
    chat.send(c.key, "", { name, type, size, blob: file });
  }

  return (
    <>
      <Head conversation={c} onOpen={onOpen} />
      <Banner />
      {c ? (
        <>
          {c.problem !== null && (
            <p className="banner" role="alert">
              <span>
                You are not in this room: {c.problem}
              </span>
              <button type="button" className="small" onClick={() => chat.enterRoom(c.id)}>
                Try again
              </button>
            </p>
          )}
          <MessageList conversation={c} />
          <Typing conversation={c} />
          <Composer conversation={c} onFile={c.kind === "room" ? attach : undefined} fileError={fileError} onFileErrorSeen={() => setFileError("")} />
        </>
      ) : (
        <div className="nothing">
          <p>You are in no room. Join one to see who is there.</p>
        </div>
      )}
    </>
  );
}

function Head({ conversation: c, onOpen }: Props) {
  const chat = useChat();
  const unread = useUnread();
  return (
    <header className="head">
      <button type="button" className="icon-button rooms-button" aria-label="Show rooms" onClick={() => onOpen("rooms")}>
        <Icon name="menu" />
        {unread > 0 && <span className="dot" aria-hidden="true" />}
      </button>
      <div className="title">
        <h1>
          {c?.kind === "room" && <span className="hash" aria-hidden="true" />}
          <bdi>{c?.title ?? "Parlor"}</bdi>
        </h1>
        {c?.kind === "room" && c.userCount > 0 && (
          <p>{c.userCount === 1 ? "Only you are here" : `${c.userCount} people are here`}</p>
        )}
        {c?.kind === "direct" && <p>Only the two of you read this</p>}
      </div>
      <ConnectionState />
      {c && (
        <button
          type="button"
          className="icon-button"
          aria-label={c.kind === "room" ? "Leave room" : "Close conversation"}
          title={c.kind === "room" ? "Leave room" : "Close conversation"}
          onClick={() => (c.kind === "room" ? chat.leaveRoom(c.id) : chat.closeDirect(c.id))}
        >
          <Icon name={c.kind === "room" ? "leave" : "close"} />
        </button>
      )}
      {c?.kind === "room" && (
        <button
          type="button"
          className="icon-button people-button"
          aria-label="Show people"
          onClick={() => onOpen("people")}
        >
          <Icon name="people" />
        </button>
      )}
    </header>
  );
}
