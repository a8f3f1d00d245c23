// What the server and this page say to each other: every event, once, for both directions.
// socket.io-client checks names and arguments against these two interfaces.

export type Presence = "online" | "away" | "offline";

export interface User {
  userId: string;
  user: string; // the name
}

export interface Member extends User {
  status: Presence;
}

/** Zero means that there is no such limit. */
export interface Limits {
  messageBytes: number;
  fileBytes: number;
  messagesPerSecond: number;
}

export interface ChatMessage {
  id: string; // opaque; sorts by time
  room: string;
  from: string; // a user's id
  user: string; // and name
  content: string;
  timestamp: number; // milliseconds since 1970
  clientMsgId?: string; // relayed as the sender set it
}

export interface DirectMessage extends Omit<ChatMessage, "room"> {
  to: string;
}

export interface FileInfo extends Omit<ChatMessage, "content" | "clientMsgId"> {
  name: string;
  type: string;
  size: number;
}

/** What is acknowledged: ok with an answer, or why not. Nothing is half-done in the second case. */
export type Answer<T> = ({ ok: true } & T) | { ok: false; error: Refusal };
export type Ack<T> = (answer: Answer<T>) => void;

export interface Refusal {
  code: string;
  message: string;
}

export interface Joined {
  room: string;
  userCount: number;
  users: Member[]; // the first 200
  history: ChatMessage[];
}

export interface HistoryPage {
  room: string;
  messages: ChatMessage[]; // oldest first
  more: boolean;
}

export interface Receipt {
  id: string;
  timestamp: number;
}

export interface ServerToClientEvents {
  connected: (me: User & { limits: Limits }) => void;
  user_joined: (change: User & { room: string; userCount: number }) => void;
  user_left: (change: User & { room: string; userCount: number }) => void;
  message: (message: ChatMessage) => void;
  chat_message: (message: ChatMessage) => void; // how some other frontends spell it
  direct_message: (message: DirectMessage) => void;
  file: (info: FileInfo, data: ArrayBuffer) => void;
  typing: (who: string | (User & { room: string; isTyping: boolean })) => void;
  cursor_position: (cursor: User & { room: string; x: number; y: number }) => void;
  presence: (presence: Member & { timestamp: number }) => void;
  auth_expired: (at: { timestamp: number }) => void;
  error: (refusal: Refusal & { event: string }) => void; // of an event without an acknowledgement
}

export interface ClientToServerEvents {
  join: (to: { room: string }, ack: Ack<Joined>) => void;
  leave: (from: { room: string }, ack: Ack<{ room: string }>) => void;
  message: (message: { room: string; content: string; clientMsgId: string }, ack: Ack<Receipt>) => void;
  direct_message: (
    message: { to: string; content: string; clientMsgId: string },
    ack: Ack<Receipt & { delivered?: boolean }>,
  ) => void;
  file_upload: (
    info: { room: string; name: string; type: string; clientMsgId: string },
    data: ArrayBuffer,
    ack: Ack<{ id: string; size: number }>,
  ) => void;
  history: (
    page: { room: string; before?: string; after?: string; limit?: number },
    ack: Ack<HistoryPage>,
  ) => void;
  presence: (status: { status: Presence }, ack: Ack<object>) => void;
  auth_refresh: (fresh: { token: string }, ack: Ack<{ expires: number }>) => void;
  typing: (typing: { room: string; isTyping: boolean }) => void;
  cursor_position: (cursor: { room: string; x: number; y: number }) => void;
}
