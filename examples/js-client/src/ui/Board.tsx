import { useEffect, useMemo, useState, type CSSProperties, type KeyboardEvent, type PointerEvent } from "react";
import { hueStyle } from "../lib/color";
import { throttle } from "../lib/throttle";
import { useSocket, useSocketEvent } from "../socket";

const INTERVAL = 33; // milliseconds: about 30 a second, half of what the server lets through
const FADE = 3_000; // without moving
const GONE = 5_000;
const STEP = 0.04; // of the board, for the arrow keys

interface Cursor {
  name: string;
  x: number; // 0 to 1
  y: number;
  moved: number; // when
  idle: boolean;
}

/** A surface on which everybody in the room sees where the others point. */
export function Board({ room }: { room: string }) {
  const socket = useSocket();
  const [cursors, setCursors] = useState<ReadonlyMap<string, Cursor>>(new Map());
  const [own, setOwn] = useState({ x: 0.5, y: 0.5 }); // for the keyboard

  const point = useMemo(
    () =>
      throttle((x: number, y: number) => {
        // Volatile: where a cursor was is of no interest once it is somewhere else.
        if (socket.connected) socket.volatile.emit("cursor_position", { room, x, y });
      }, INTERVAL),
    [socket, room],
  );
  useEffect(() => point.cancel, [point]);

  useSocketEvent("cursor_position", ({ userId, user, room: where, x, y }) => {
    if (where !== room || !Number.isFinite(x) || !Number.isFinite(y)) return;
    const cursor = { name: user, x: within(x), y: within(y), moved: Date.now(), idle: false };
    setCursors((old) => new Map(old).set(userId, cursor));
  });
  useSocketEvent("user_left", ({ userId, room: where }) => {
    if (where !== room) return;
    setCursors((old) => new Map([...old].filter(([id]) => id !== userId)));
  });

  // Who does not move fades, and is gone.
  const empty = cursors.size === 0;
  useEffect(() => {
    if (empty) return;
    const timer = setInterval(() => setCursors(fade), 250);
    return () => clearInterval(timer);
  }, [empty]);

  function onPointerMove({ clientX, clientY, currentTarget }: PointerEvent) {
    const { left, top, width, height } = currentTarget.getBoundingClientRect();
    move(within((clientX - left) / width), within((clientY - top) / height));
  }

  function onKeyDown(event: KeyboardEvent) {
    const step = steps.get(event.key);
    if (!step) return;
    event.preventDefault();
    move(within(own.x + step[0]), within(own.y + step[1]));
  }

  function move(x: number, y: number) {
    setOwn({ x, y });
    point.call(x, y);
  }

  return (
    <section className="board-panel" aria-label="Board">
      <div className="section-head">
        <h2>Board</h2>
        <p className="hint">Point at something</p>
      </div>
      {/* It is moved on like a game, not read like a document. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        className="board"
        role="application"
        aria-label="Your cursor on the board. The arrow keys move it."
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
        tabIndex={0}
        onPointerMove={onPointerMove}
        onKeyDown={onKeyDown}
      >
        <span className="own-cursor" style={at(own)} aria-hidden="true" />
        {[...cursors].map(([userId, cursor]) => (
          <div
            key={userId}
            className="cursor"
            data-user={userId}
            data-idle={cursor.idle}
            style={{ ...at(cursor), ...hueStyle(cursor.name) }}
          >
            <svg viewBox="0 0 16 16" aria-hidden="true">
              <path d="M2 1.5l11 5.5-4.8 1.7L6 14z" />
            </svg>
            <bdi>{cursor.name}</bdi>
          </div>
        ))}
      </div>
    </section>
  );
}

const steps: ReadonlyMap<string, readonly [number, number]> = new Map([
  ["ArrowLeft", [-STEP, 0]],
  ["ArrowRight", [STEP, 0]],
  ["ArrowUp", [0, -STEP]],
  ["ArrowDown", [0, STEP]],
]);

function at({ x, y }: { x: number; y: number }): CSSProperties {
  return { left: `${x * 100}%`, top: `${y * 100}%` };
}

function within(share: number): number {
  return Math.min(1, Math.max(0, share));
}

function fade(cursors: ReadonlyMap<string, Cursor>): ReadonlyMap<string, Cursor> {
  const now = Date.now();
  const left = [...cursors].filter(([, { moved }]) => now - moved < GONE);
  return new Map(left.map(([userId, cursor]) => [userId, { ...cursor, idle: now - cursor.moved > FADE }]));
}
