import { useId, useState, type SubmitEvent } from "react";
import { useStore } from "zustand";
import { useChat } from "../chat/context";
import { session, signIn } from "../chat/session";
import { refusalWords } from "../chat/words";
import { config } from "../config";
import { useConnection, useConnectionStatus } from "../socket";
import { ConnectionState } from "./ConnectionState";
import { Icon } from "./Icon";
import { Logo } from "./Logo";
import { ThemeToggle } from "./ThemeToggle";

export function Login() {
  const chat = useChat();
  const connection = useConnection();
  const status = useConnectionStatus();
  const waiting = useStore(session, ({ credentials }) => credentials !== null) && status.state !== "refused";
  const refused = status.state === "refused" ? status : null;

  const [name, setName] = useState(config.name);
  const [token, setToken] = useState("");
  const [room, setRoom] = useState(config.room || "lobby");
  const [tokenOpen, setTokenOpen] = useState(false);
  const id = useId();
  // A server that wants a token gets a field for it without being asked.
  const withToken = tokenOpen || refused?.code.startsWith("token_") === true;

  function submit(event: SubmitEvent) {
    event.preventDefault();
    const given = withToken ? token.trim() : "";
    chat.leave(); // what an earlier try has asked for
    signIn({ name: name.trim(), token: given === "" ? null : given });
    chat.enterRoom(room.trim());
    connection.reconnect();
  }

  return (
    <main className="login">
      <form className="card" onSubmit={submit} aria-busy={waiting}>
        <header>
          <Logo />
          <ThemeToggle />
        </header>
        <h1>Come in</h1>
        <p className="lead">Pick a name and a room. Whoever is in the same room reads what you write at once.</p>

        <div className="field">
          <label htmlFor={`${id}name`}>Your name</label>
          <input
            id={`${id}name`}
            value={name}
            onChange={(e) => setName(e.target.value)}
            required={!withToken || token.trim() === ""}
            pattern=".*\S.*"
            maxLength={64}
            autoComplete="nickname"
          />
        </div>
        <div className="field">
          <label htmlFor={`${id}room`}>Room</label>
          <input
            id={`${id}room`}
            value={room}
            onChange={(e) => setRoom(e.target.value)}
            required
            pattern=".*\S.*"
            maxLength={128}
            autoComplete="off"
          />
        </div>

        <button
          type="button"
          className="disclosure"
          aria-expanded={withToken}
          aria-controls={`${id}tokenField`}
          onClick={() => setTokenOpen(!withToken)}
        >
          <Icon name="key" /> Sign in with a token
        </button>
        <div className="field" id={`${id}tokenField`} hidden={!withToken}>
          <label htmlFor={`${id}token`}>Access token</label>
          <input
            id={`${id}token`}
            className="mono"
            value={token}
            onChange={(e) => setToken(e.target.value)}
            aria-describedby={`${id}hint`}
            autoComplete="off"
            spellCheck={false}
          />
          <p className="hint" id={`${id}hint`}>
            It says who you are, and is kept in this tab only.
          </p>
        </div>

        {refused && (
          <p className="error" role="alert">
            <Icon name="alert" /> {refusalWords(refused.code, refused.message)}
          </p>
        )}
        <button type="submit" className="primary">
          Join
        </button>
        <ConnectionState />
      </form>
    </main>
  );
}
