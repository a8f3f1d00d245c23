import { useEffect, useState, type ReactNode } from "react";
import { useSocket, useSocketEvent } from "../socket";
import { createChat } from "./chat";
import { ChatContext } from "./context";
import { fromFile } from "./entries";
import { chatStore, roomKey, update } from "./store";

/** Gives everything below it the chat, and the chat the socket's events. */
export function ChatProvider({ children }: { children: ReactNode }) {
  const socket = useSocket();
  const [chat] = useState(() => createChat(socket));

  useSocketEvent("connected", chat.on.connected);
  useSocketEvent("message", chat.on.message);
  useSocketEvent("chat_message", chat.on.message);
  useSocketEvent("direct_message", chat.on.direct_message);
  useSocketEvent("user_joined", chat.on.user_joined);
  useSocketEvent("user_left", chat.on.user_left);
  useSocketEvent("presence", chat.on.presence);
  useSocketEvent("file", (info, data) => chat.add(roomKey(info.room), fromFile(info, data)));
  useSocketEvent("auth_expired", () => chatStore.setState({ expired: true }));

  useEffect(() => {
    // Here and not with "connected", which may come after the word that this connection's token has expired.
    const onConnect = () => chatStore.setState({ expired: false });
    socket.on("connect", onConnect);
    socket.on("disconnect", chat.disconnected);
    return () => {
      socket.off("connect", onConnect);
      socket.off("disconnect", chat.disconnected);
    };
  }, [socket, chat]);

  // What came while nobody looked is read when somebody does.
  useEffect(() => {
    const onVisible = () => {
      const { active } = chatStore.getState();
      if (document.visibilityState === "visible" && active !== null) update(active, () => ({ unread: 0 }));
    };
    document.addEventListener("visibilitychange", onVisible);
    return () => document.removeEventListener("visibilitychange", onVisible);
  }, []);

  return <ChatContext value={chat}>{children}</ChatContext>;
}
