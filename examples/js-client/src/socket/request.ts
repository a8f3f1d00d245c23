import type { Answer } from "../contract";
import type { AppSocket, RequestAnswer, RequestArgs, RequestEvent } from "./types";

/** Why a request failed: a code of the server's, or one of the two that only a client can know. */
export class RequestError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = "RequestError";
    this.code = code;
  }
}

/** The connection was not there, or ended before the answer: the server may have acted or not. */
export const OFFLINE = "offline";
/** No answer in time: the same. */
export const TIMEOUT = "timeout";

const ANSWER_WITHIN = 8_000;

/** The types of emitWithAck do not see through a generic event name; those of request do. */
interface Untyped<T> {
  emitWithAck: (event: string, ...args: unknown[]) => Promise<Answer<T>>;
}

/**
 * Emits an event and resolves with what the server acknowledges; rejects with a RequestError.
 *
 * Nothing is emitted while there is no connection. The client would keep it and send it after the
 * next CONNECT, before anything that has to come first (rooms are to be joined again), and a caller
 * that gave up and tried again would send it twice.
 */
export async function request<E extends RequestEvent>(
  socket: AppSocket,
  event: E,
  args: RequestArgs<E>,
  within = ANSWER_WITHIN,
): Promise<RequestAnswer<E>> {
  if (!socket.connected) throw new RequestError(OFFLINE, "Not connected");
  const timed = socket.timeout(within) as unknown as Untyped<RequestAnswer<E>>;
  let answer;
  try {
    answer = await timed.emitWithAck(event, ...args);
  } catch {
    const { connected } = socket as { connected: boolean }; // by now it may not be
    throw connected
      ? new RequestError(TIMEOUT, "The server did not answer in time")
      : new RequestError(OFFLINE, "The connection ended before the answer");
  }
  if (!answer.ok) throw new RequestError(answer.error.code, answer.error.message);
  return answer;
}
