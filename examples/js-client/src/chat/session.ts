// Who has signed in, in this tab: a token is nothing to leave behind in a browser.

import { createStore } from "zustand/vanilla";
import { perTab, readItem, removeItem, writeItem } from "../lib/storage";

export interface Credentials {
  name: string;
  token: string | null;
}

export interface Session {
  credentials: Credentials | null;
  entered: boolean; // the server has let these credentials in, now or before a reload
  rooms: string[]; // to be in again after a reload
  active: string | null; // the room that was open
  ids: string[]; // the user ids so far: an anonymous user has a new one for each connection
}

const KEY = "parlor.session";
const MOST_IDS = 50;
const nobody: Session = { credentials: null, entered: false, rooms: [], active: null, ids: [] };

export const session = createStore<Session>(() => restore());

session.subscribe((state) => {
  if (state.credentials && state.entered) writeItem(perTab, KEY, state);
  else removeItem(perTab, KEY);
});

export function signIn(credentials: Credentials): void {
  session.setState({ ...nobody, credentials });
}

/** The same user with a new token; all else stays. */
export function renewToken(token: string): void {
  const { credentials } = session.getState();
  session.setState({ credentials: { name: credentials?.name ?? "", token } });
}

export function enter(userId: string): void {
  const ids = session.getState().ids.filter((id) => id !== userId);
  session.setState({ entered: true, ids: [...ids, userId].slice(-MOST_IDS) });
}

export function signOut(): void {
  session.setState(nobody);
}

/** What is sent with CONNECT. */
export function handshake(): Record<string, unknown> {
  const { credentials } = session.getState();
  if (!credentials) return {};
  return credentials.token ? { token: credentials.token } : { username: credentials.name };
}

function restore(): Session {
  const kept = readItem(perTab, KEY) as Partial<Session> | null;
  const { name, token } = kept?.credentials ?? {};
  if (!kept || typeof name !== "string" || (typeof token !== "string" && token !== null)) return nobody;
  return {
    credentials: { name, token },
    entered: true,
    rooms: strings(kept.rooms),
    active: typeof kept.active === "string" ? kept.active : null,
    ids: strings(kept.ids),
  };
}

function strings(list: unknown): string[] {
  return Array.isArray(list) ? list.filter((item) => typeof item === "string") : [];
}
