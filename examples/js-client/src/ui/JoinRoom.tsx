import { useId, useLayoutEffect, useRef, useState, type SubmitEvent } from "react";
import { useChat } from "../chat/context";
import { Icon } from "./Icon";

/** Asks for a room's name. The dialog is the browser's: it keeps the focus, and Escape closes it. */
export function JoinRoom({ onClose }: { onClose: (joined: boolean) => void }) {
  const chat = useChat();
  const dialog = useRef<HTMLDialogElement>(null);
  const field = useRef<HTMLInputElement>(null);
  const [room, setRoom] = useState("");
  const id = useId();

  // Closed while it is still on the page, a dialog gives the focus back to where it was.
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    field.current?.focus();
    return () => element?.close();
  }, []);

  function submit(event: SubmitEvent) {
    event.preventDefault();
    chat.enterRoom(room.trim());
    onClose(true);
  }

  return (
    <dialog
      ref={dialog}
      aria-labelledby={`${id}title`}
      onCancel={(event) => {
        event.preventDefault(); // React takes it away
        onClose(false);
      }}
    >
      <form onSubmit={submit}>
        <header>
          <h2 id={`${id}title`}>Join a room</h2>
          <button type="button" className="icon-button" aria-label="Cancel" onClick={() => onClose(false)}>
            <Icon name="close" />
          </button>
        </header>
        <p className="hint">A room is there as soon as somebody is in it.</p>
        <div className="field">
          <label htmlFor={`${id}room`}>Room</label>
          <input
            ref={field}
            id={`${id}room`}
            value={room}
            onChange={(e) => setRoom(e.target.value)}
            required
            pattern=".*\S.*"
            maxLength={128}
            autoComplete="off"
          />
        </div>
        <button type="submit" className="primary">
          Join
        </button>
      </form>
    </dialog>
  );
}
