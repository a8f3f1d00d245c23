// From what is on the wire to what is on the page.

import type { ChatMessage, DirectMessage, FileInfo } from "../contract";
import { session } from "./session";
import type { Entry } from "./timeline";

/** Whether a user id is ours, or was before a reconnection. */
export function isMine(userId: string): boolean {
  return session.getState().ids.includes(userId);
}

export function fromMessage(message: ChatMessage | DirectMessage): Entry {
  const mine = isMine(message.from);
  return {
    key: message.id,
    id: message.id,
    clientMsgId: typeof message.clientMsgId === "string" ? message.clientMsgId : null,
    from: message.from,
    user: message.user,
    content: message.content,
    timestamp: message.timestamp,
    mine,
    state: mine ? "sent" : "received",
  };
}

export function fromFile(info: FileInfo, data: ArrayBuffer): Entry {
  const mine = isMine(info.from);
  return {
    key: info.id,
    id: info.id,
    clientMsgId: null,
    from: info.from,
    user: info.user,
    content: "",
    timestamp: info.timestamp,
    mine,
    state: mine ? "sent" : "received",
    file: { name: info.name, type: info.type, size: info.size, blob: new Blob([data]) },
  };
}
