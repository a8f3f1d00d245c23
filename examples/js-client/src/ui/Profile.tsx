import { useId } from "react";
import { useStore } from "zustand";
import { unsent } from "../chat/chat";
import { useChat } from "../chat/context";
import { session } from "../chat/session";
import { chatStore, useChatState } from "../chat/store";
import type { Presence } from "../contract";
import { useConnection } from "../socket";
import { Avatar } from "./Avatar";
import { Icon } from "./Icon";
import { ThemeToggle } from "./ThemeToggle";

/** Who one is, and how one is seen. */
export function Profile() {
  const chat = useChat();
  const connection = useConnection();
  const known = useChatState((state) => state.me?.name);
  const given = useStore(session, ({ credentials }) => credentials?.name);
  const status = useChatState((state) => state.status);
  const id = useId();
  const name = known ?? given ?? "";

  function signOut() {
    const waiting = unsent(chatStore.getState().conversations.values());
    const question = `${waiting === 1 ? "One message has" : `${waiting} messages have`} not been sent. Sign out and discard them?`;
    if (waiting > 0 && !confirm(question)) return;
    connection.disconnect();
    chat.leave();
  }

  return (
    <section className="profile" aria-label="You">
      <Avatar name={name} status={status} />
      <div className="who">
        <bdi className="name">{name}</bdi>
        <label className="visually-hidden" htmlFor={`${id}status`}>
          Your status
        </label>
        <select id={`${id}status`} value={status} onChange={(e) => chat.setStatus(e.target.value as Presence)}>
          <option value="online">online</option>
          <option value="away">away</option>
          <option value="offline">offline</option>
        </select>
      </div>
      <ThemeToggle />
      <button type="button" className="icon-button" aria-label="Sign out" title="Sign out" onClick={signOut}>
        <Icon name="leave" />
      </button>
    </section>
  );
}
