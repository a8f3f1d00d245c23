import { useId, useState, type SubmitEvent } from "react";
import { renewToken } from "../chat/session";
import { chatStore } from "../chat/store";
import { refusalWords } from "../chat/words";
import { useAck, useConnection } from "../socket";
import { Icon } from "./Icon";

/**
 * Takes a new token. While the connection is there it is renewed by it, and nothing else changes;
 * else one signs in again. What has been written stays in either case.
 */
export function RenewToken({ why }: { why: string }) {
  const connection = useConnection();
  const refresh = useAck("auth_refresh");
  const [token, setToken] = useState("");
  const id = useId();

  async function submit(event: SubmitEvent) {
    event.preventDefault();
    const given = token.trim();
    if (connection.socket.connected) {
      if (!(await refresh.send({ token: given }))) return;
      renewToken(given);
      chatStore.setState({ expired: false });
    } else {
      renewToken(given);
      connection.reconnect();
    }
  }

  return (
    <form className="banner renew" onSubmit={(event) => void submit(event)} aria-busy={refresh.pending}>
      <p role="alert">
        <Icon name="alert" />
        <span>
          {why} Sign in again with a new one; what you have written stays.
          {refresh.error && (
            <strong>
              {refresh.error.code === "forbidden"
                ? " That token is another user's."
                : ` ${refusalWords(refresh.error.code, refresh.error.message)}`}
            </strong>
          )}
        </span>
      </p>
      <label className="visually-hidden" htmlFor={`${id}token`}>
        New access token
      </label>
      <input
        id={`${id}token`}
        className="mono"
        placeholder="New access token"
        value={token}
        onChange={(e) => setToken(e.target.value)}
        required
        autoComplete="off"
        spellCheck={false}
      />
      <button type="submit" className="small">
        Sign in again
      </button>
    </form>
  );
}
