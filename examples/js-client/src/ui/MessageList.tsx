import { Fragment, useEffect, useLayoutEffect, useRef, useState } from "react";
import { useChat } from "../chat/context";
import { update, type Conversation } from "../chat/store";
import type { Entry, Timeline } from "../chat/timeline";
import { formatDay, sameDay } from "../lib/time";
import { Icon } from "./Icon";
import { Message } from "./Message";

const NEAR_END = 48; // pixels: who is so near to the newest message wants to see the next one
const NEAR_START = 240; // here earlier ones are asked for, before anybody has to wait
const BREAK = 5 * 60_000; // after it the same author gets a name again

/** The messages. It stays at the newest one, or where somebody has scrolled to. */
export function MessageList({ conversation: c }: { conversation: Conversation }) {
  const chat = useChat();
  const scroller = useRef<HTMLDivElement>(null);
  const content = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const before = useRef({ first: "", height: 0, written: 0 });
  const [seenUpTo, setSeenUpTo] = useState<string | null>(null); // an id; null: at the end, all of it

  const entries = [...c.timeline.numbered, ...c.timeline.pending];
  const first = entries[0]?.key ?? "";
  const written = c.timeline.pending.length;
  const more = c.earlier === "more";

  // Before the browser paints: earlier messages at the top must not move what is being read.
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box) return;
    const { first: oldFirst, height, written: oldWritten } = before.current;
    if (written > oldWritten) atEnd.current = true; // one's own message is always shown
    if (atEnd.current) box.scrollTop = box.scrollHeight;
    else if (first !== oldFirst) box.scrollTop += box.scrollHeight - height;
    before.current = { first, height: box.scrollHeight, written };
  }, [first, written, entries.length]);

  // Pictures arrive later than their messages, and the box changes with what is written below it.
  useEffect(() => {
    const box = scroller.current;
    if (!box || !content.current) return;
    const observer = new ResizeObserver(() => {
      if (atEnd.current) box.scrollTop = box.scrollHeight;
      before.current.height = box.scrollHeight;
    });
    observer.observe(box);
    observer.observe(content.current);
    return () => observer.disconnect();
  }, []);

  const scrolledUp = seenUpTo !== null;
  useEffect(() => {
    if (!scrolledUp) return;
    update(c.key, () => ({ scrolledUp: true }));
    return () => update(c.key, () => ({ scrolledUp: false }));
  }, [c.key, scrolledUp]);

  // What does not fill the box cannot be scrolled.
  useEffect(() => {
    const box = scroller.current;
    if (more && c.joined && box && box.scrollHeight <= box.clientHeight + NEAR_START) void chat.loadEarlier(c.key);
  }, [chat, c.key, c.joined, more, entries.length]);

  function onScroll() {
    const box = scroller.current;
    if (!box) return;
    atEnd.current = box.scrollHeight - box.scrollTop - box.clientHeight < NEAR_END;
    setSeenUpTo((old) => (atEnd.current ? null : (old ?? c.timeline.numbered.at(-1)?.id ?? "")));
    if (more && box.scrollTop < NEAR_START) void chat.loadEarlier(c.key);
  }

  function toEnd() {
    atEnd.current = true;
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
  }

  return (
    <div className="messages-frame">
      {/* A keyboard can scroll only what can have the focus. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <div ref={scroller} className="messages" role="log" aria-label="Messages" aria-live="off" tabIndex={0} onScroll={onScroll}>
        <div ref={content} className="messages-content">
          {entries.length === 0 && (
            <p className="empty">
              {c.kind === "direct" ? `This is between you and ${c.title}.` : "Nothing has been said here yet."}
            </p>
          )}
          {entries.map((entry, i) => (
            <Fragment key={entry.key}>
              <Separator entry={entry} previous={entries[i - 1]} />
              <Message
                conversation={c.key}
                entry={entry}
                grouped={isGrouped(entry, entries[i - 1])}
                last={i === entries.length - 1}
              />
            </Fragment>
          ))}
        </div>
      </div>
      {c.earlier === "loading" && <p className="loading">Loading earlier messages…</p>}
      {scrolledUp && <ToEnd news={countAfter(seenUpTo, c.timeline)} onClick={toEnd} />}
    </div>
  );
}

function ToEnd({ news, onClick }: { news: number; onClick: () => void }) {
  return (
    <button type="button" className="to-end" onClick={onClick}>
      <Icon name="down" /> {news > 0 ? `${news} new` : "To the newest"}
    </button>
  );
}

function Separator({ entry, previous }: { entry: Entry; previous: Entry | undefined }) {
  return (
    <>
      {(!previous || !sameDay(entry.timestamp, previous.timestamp)) && (
        <p className="day">
          <span>{formatDay(entry.timestamp)}</span>
        </p>
      )}
      {entry.gapBefore && <p className="marker">You were away. Some messages may be missing here.</p>}
    </>
  );
}

/** How many messages there are below an id; earlier ones may be loaded above it meanwhile. */
function countAfter(id: string, { numbered }: Timeline): number {
  return numbered.filter((entry) => (entry.id ?? "") > id).length;
}

function isGrouped(entry: Entry, previous: Entry | undefined): boolean {
  return (
    previous !== undefined &&
    !entry.gapBefore &&
    (previous.from === entry.from || (previous.mine && entry.mine)) &&
    entry.timestamp - previous.timestamp < BREAK &&
    sameDay(entry.timestamp, previous.timestamp)
  );
}
