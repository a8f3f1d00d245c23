import { useEffect } from "react";
import { useActiveConversation, useChatState } from "../chat/store";

/** "(3) lobby · Parlor": for tabs that nobody looks at. */
export function usePageTitle(): void {
  const title = useActiveConversation()?.title;
  const unread = useUnread();

  useEffect(() => {
    document.title = `${unread > 0 ? `(${unread}) ` : ""}${title === undefined ? "" : `${title} · `}Parlor`;
    return () => {
      document.title = "Parlor";
    };
  }, [title, unread]);
}

/** Unread messages in all conversations. */
export function useUnread(): number {
  return useChatState(({ conversations }) => {
    let count = 0;
    for (const c of conversations.values()) count += c.unread;
    return count;
  });
}
