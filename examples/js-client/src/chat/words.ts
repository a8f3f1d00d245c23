// Codes of the server, in words for people.

import { RequestError } from "../socket";
import type { Problem } from "./timeline";

/** The code of a direct message that its recipient was not there for. */
export const UNDELIVERED = "undelivered";

/** Why the server does not let somebody in. */
export function refusalWords(code: string, message: string): string {
  switch (code) {
    case "token_missing":
      return "This server lets people in with an access token only.";
    case "token_invalid":
      return "This access token is not valid.";
    case "token_expired":
      return "This access token has expired.";
    case "forbidden":
      return "You are not allowed in here.";
    default:
      return message || "The server refused the connection.";
  }
}

/** Why something could not be done. */
export function problemWords(err: unknown): string {
  if (!(err instanceof RequestError)) return "Something went wrong on this page.";
  switch (err.code) {
    case "rate_limited":
      return "That was too fast. Try again in a moment.";
    case "message_too_large":
      return "It is larger than the server takes.";
    case "not_in_room":
      return "You are not in this room any more.";
    case "too_many_rooms":
      return "You are in as many rooms as the server allows.";
    case "forbidden":
      return "You are not allowed to do that.";
    case "internal":
      return "The server has a problem. Try again.";
    case "timeout":
      return "The server did not answer. It may have arrived or not.";
    case "offline":
      return "The connection ended before the answer. It may have arrived or not.";
    default:
      return err.message;
  }
}

/** The same for a message, and whether it makes sense to send it again as it is. */
export function problemOf(err: unknown): Problem {
  const code = err instanceof RequestError ? err.code : "";
  const hopeless = ["message_too_large", "invalid_payload", "forbidden"].includes(code);
  // The server remembers that a direct message reached nobody; the next try is another message.
  return { text: problemWords(err), retry: hopeless ? "no" : code === UNDELIVERED ? "new" : "same" };
}
