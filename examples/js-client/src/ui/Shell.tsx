import { useEffect, useEffectEvent, useRef, useState } from "react";
import { useActiveConversation } from "../chat/store";
import { useMedia } from "../lib/useMedia";
import { Announcer } from "./Announcer";
import { Board } from "./Board";
import { ChatRoom } from "./ChatRoom";
import { People } from "./People";
import { Sidebar } from "./Sidebar";
import { usePageTitle } from "./usePageTitle";

export type Drawer = "rooms" | "people";

/** Rooms, conversation, people and board: columns where there is space, else drawers. */
export function Shell() {
  const conversation = useActiveConversation();
  const roomsFit = useMedia("(min-width: 760px)");
  const peopleFit = useMedia("(min-width: 1120px)");
  const [wanted, setDrawer] = useState<Drawer | null>(null);
  const room = conversation?.kind === "room" ? conversation : undefined;
  // What fits, or has nothing to show, is no drawer.
  const drawer = (wanted === "rooms" && roomsFit) || (wanted === "people" && (peopleFit || !room)) ? null : wanted;
  const close = () => setDrawer(null);
  usePageTitle();

  return (
    <div className="shell" data-drawer={drawer ?? undefined} data-people={room ? true : undefined}>
      <DrawerFrame name="rooms" open={drawer === "rooms"} fits={roomsFit} onClose={close}>
        <Sidebar onDone={close} />
      </DrawerFrame>

      <main className="conversation" inert={drawer !== null}>
        <ChatRoom key={conversation?.key} conversation={conversation} onOpen={setDrawer} />
      </main>

      {room && (
        <DrawerFrame name="people" open={drawer === "people"} fits={peopleFit} onClose={close}>
          <People room={room} onDone={close} />
          <Board key={room.id} room={room.id} />
        </DrawerFrame>
      )}
      {drawer && (
        // For the pointer; the keyboard has Escape and the drawer's button.
        <div className="scrim" aria-hidden="true" onPointerDown={close} />
      )}
      <Announcer />
    </div>
  );
}

interface FrameProps {
  name: Drawer;
  open: boolean;
  fits: boolean;
  onClose: () => void;
  children: React.ReactNode;
}

/** A column, or a drawer that takes the focus when it opens and gives it back when it closes. */
function DrawerFrame({ name, open, fits, onClose, children }: FrameProps) {
  const frame = useRef<HTMLDivElement>(null);

  const onEscape = useEffectEvent(onClose);

  // Only when it opens or closes: whatever else renders must not move the focus.
  useEffect(() => {
    if (!open) return;
    const before = document.activeElement;
    frame.current?.focus();
    const onKey = (event: KeyboardEvent) => {
      // A dialog on top of the drawer is closed first.
      if (event.key === "Escape" && !document.querySelector("dialog[open]")) onEscape();
    };
    document.addEventListener("keydown", onKey);
    return () => {
      document.removeEventListener("keydown", onKey);
      if (before instanceof HTMLElement) before.focus();
    };
  }, [open]);

  return (
    <div className={`side ${name}`} ref={frame} tabIndex={-1} inert={!fits && !open}>
      {children}
    </div>
  );
}
