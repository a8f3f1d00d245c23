import { useChat } from "../chat/context";
import { isMine } from "../chat/entries";
import type { Conversation } from "../chat/store";
import type { Member, Presence } from "../contract";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";

const order: Record<Presence, number> = { online: 0, away: 1, offline: 2 };

/** Who is in the room. */
export function People({ room, onDone }: { room: Conversation; onDone: () => void }) {
  const chat = useChat();
  const people = [...room.people.values()].sort(byPresence);
  const unlisted = room.userCount - people.length;

  return (
    <section className="people-panel" aria-label="People here">
      <div className="section-head">
        <h2>
          People <span className="count">{room.userCount > 0 ? room.userCount : ""}</span>
        </h2>
        <button type="button" className="icon-button drawer-only" aria-label="Close people" onClick={onDone}>
          <Icon name="close" />
        </button>
      </div>
      {/* Without a marker a list is none in Safari, unless it says so. */}
      {/* eslint-disable-next-line jsx-a11y/no-redundant-roles */}
      <ul className="people-list" role="list" aria-label="People">
        {people.map((person) => (
          <li key={person.userId} data-user={person.userId} data-status={person.status}>
            <Avatar name={person.user} status={person.status} />
            <span className="who">
              <bdi className="name">{person.user}</bdi>
              <span className="about">
                {isMine(person.userId) ? "you" : ""}
                {isMine(person.userId) && person.status !== "online" ? ", " : ""}
                {person.status === "online" ? "" : person.status}
              </span>
            </span>
            {!isMine(person.userId) && (
              <button
                type="button"
                className="icon-button"
                aria-label={`Message ${person.user}`}
                onClick={() => {
                  chat.openDirect(person.userId, person.user);
                  onDone();
                }}
              >
                <Icon name="message" />
              </button>
            )}
          </li>
        ))}
      </ul>
      {unlisted > 0 && <p className="hint">and {unlisted} more</p>}
    </section>
  );
}

/** Oneself first, then who is there, by name. */
function byPresence(a: Member, b: Member): number {
  return (
    Number(isMine(b.userId)) - Number(isMine(a.userId)) ||
    order[a.status] - order[b.status] ||
    a.user.localeCompare(b.user)
  );
}
