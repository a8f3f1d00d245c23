import { memo } from "react";
import { useChat } from "../chat/context";
import type { Entry } from "../chat/timeline";
import { hueStyle } from "../lib/color";
import { linkify } from "../lib/linkify";
import { formatTime } from "../lib/time";
import { Attachment } from "./Attachment";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";
import { useConnectionStatus } from "../socket";

interface Props {
  conversation: string;
  entry: Entry;
  grouped: boolean; // goes on from the one before, by the same author
  last: boolean;
}

export const Message = memo(function Message({ conversation, entry, grouped, last }: Props) {
  return (
    <article className={grouped ? "message grouped" : "message"} data-state={entry.state} data-id={entry.id ?? undefined}>
      {grouped ? <Time at={entry.timestamp} /> : <Avatar name={entry.user} />}
      <div className="message-main">
        <p className={grouped ? "visually-hidden" : "byline"}>
          <bdi className="author" style={hueStyle(entry.user)}>
            {entry.user}
          </bdi>
          {!grouped && <Time at={entry.timestamp} />}
        </p>
        {entry.file ? <Attachment file={entry.file} /> : <Text content={entry.content} />}
        {entry.state === "sending" && <Sending entry={entry} />}
        {entry.state === "failed" && <Failed conversation={conversation} entry={entry} />}
        {entry.state === "sent" && last && (
          <p className="fate">
            <Icon name="check" /> Sent
          </p>
        )}
      </div>
    </article>
  );
});

/** Text stays text, whatever is in it; only links are more. */
function Text({ content }: { content: string }) {
  return (
    <div className="body" dir="auto">
      {linkify(content).map((part, i) =>
        part.href === undefined ? (
          part.text
        ) : (
          <a key={i} href={part.href} target="_blank" rel="noopener noreferrer nofollow">
            {part.text}
          </a>
        ),
      )}
    </div>
  );
}

function Time({ at }: { at: number }) {
  return (
    <time dateTime={new Date(at).toISOString()} title={new Date(at).toLocaleString()}>
      {formatTime(at)}
    </time>
  );
}

function Sending({ entry }: { entry: Entry }) {
  const connected = useConnectionStatus().state === "connected";
  return (
    <p className="fate">
      <Icon name="clock" /> {entry.problem?.text ?? (connected ? "Sending…" : "Waiting for the connection")}
      {/* How much has gone out the client does not say, so this does not either. */}
      {entry.file && connected && <span className="progress" role="progressbar" aria-label={`Sending ${entry.file.name}`} />}
    </p>
  );
}

function Failed({ conversation, entry }: { conversation: string; entry: Entry }) {
  const chat = useChat();
  const id = entry.clientMsgId;
  return (
    <p className="fate failed">
      <Icon name="alert" /> {entry.problem?.text ?? "Not sent."}
      {id !== null && (
        <>
          {entry.problem?.retry !== "no" && (
            <button type="button" className="link" onClick={() => chat.retry(conversation, id)}>
              Retry
            </button>
          )}
          <button type="button" className="link" onClick={() => chat.discard(conversation, id)}>
            Discard
          </button>
        </>
      )}
    </p>
  );
}
