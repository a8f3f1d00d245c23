import { useState } from "react";
import { useChat } from "../chat/context";
import { useChatState, type Conversation } from "../chat/store";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";
import { JoinRoom } from "./JoinRoom";
import { Logo } from "./Logo";
import { Profile } from "./Profile";

/** The conversations, and who one is. */
export function Sidebar({ onDone }: { onDone: () => void }) {
  const conversations = useChatState((state) => state.conversations);
  const [joining, setJoining] = useState(false);
  const all = [...conversations.values()];
  const direct = all.filter((c) => c.kind === "direct");

  return (
    <>
      <header className="side-head">
        <Logo />
        <button type="button" className="icon-button drawer-only" aria-label="Close rooms" onClick={onDone}>
          <Icon name="close" />
        </button>
      </header>
      <nav aria-label="Rooms">
        <div className="section-head">
          <h2>Rooms</h2>
          <button type="button" className="icon-button" aria-label="Join a room" onClick={() => setJoining(true)}>
            <Icon name="plus" />
          </button>
        </div>
        <List conversations={all.filter((c) => c.kind === "room")} onDone={onDone} />
        {direct.length > 0 && (
          <>
            <div className="section-head">
              <h2>Direct messages</h2>
            </div>
            <List conversations={direct} onDone={onDone} />
          </>
        )}
      </nav>
      <Profile />
      {joining && (
        <JoinRoom
          onClose={(joined) => {
            setJoining(false);
            if (joined) onDone();
          }}
        />
      )}
    </>
  );
}

function List({ conversations, onDone }: { conversations: Conversation[]; onDone: () => void }) {
  const chat = useChat();
  const active = useChatState((state) => state.active);
  return (
    <ul className="conversations">
      {conversations.map((c) => (
        <li key={c.key}>
          <button
            type="button"
            className="conversation-button"
            aria-current={c.key === active ? "page" : undefined}
            data-joined={c.joined}
            onClick={() => {
              chat.activate(c.key);
              onDone();
            }}
          >
            {c.kind === "room" ? <span className="hash" aria-hidden="true" /> : <Avatar name={c.title} />}
            <bdi className="name">{c.title}</bdi>
            {c.unread > 0 && (
              <>
                <span className="unread">{c.unread > 99 ? "99+" : c.unread}</span>
                <span className="visually-hidden"> unread</span>
              </>
            )}
          </button>
        </li>
      ))}
    </ul>
  );
}
