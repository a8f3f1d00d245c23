import { useStore } from "zustand";
import { ChatProvider } from "./chat/ChatProvider";
import { handshake, session } from "./chat/session";
import { config } from "./config";
import { SocketProvider } from "./socket";
import { Login } from "./ui/Login";
import { Shell } from "./ui/Shell";

export function App() {
  const signedIn = useStore(session, (state) => state.credentials !== null);
  const entered = useStore(session, (state) => state.entered);

  return (
    <SocketProvider
      namespace="/chat"
      path={config.path}
      transports={config.transports}
      auth={handshake}
      enabled={signedIn}
    >
      <ChatProvider>{entered ? <Shell /> : <Login />}</ChatProvider>
    </SocketProvider>
  );
}
