import { useChatState } from "../chat/store";
import { refusalWords } from "../chat/words";
import { useConnection, useConnectionStatus } from "../socket";
import { Icon } from "./Icon";
import { RenewToken } from "./RenewToken";

/** What somebody should know, or can do, while the connection is not as it should be. */
export function Banner() {
  const connection = useConnection();
  const status = useConnectionStatus();
  const expired = useChatState((state) => state.expired);

  if (status.state === "refused") {
    return <RenewToken why={refusalWords(status.code, status.message)} />;
  }
  if (expired && (status.state === "connected" || status.state === "disconnected")) {
    return <RenewToken why={refusalWords("token_expired", "")} />;
  }
  switch (status.state) {
    case "reconnecting":
      return (
        <Notice text="The connection is lost. You can go on writing; it is sent as soon as the connection is back.">
          <button type="button" className="small" onClick={connection.reconnect}>
            Try now
          </button>
        </Notice>
      );
    case "offline":
      return <Notice text="You are offline. You can go on writing; it is sent as soon as you are back." />;
    case "disconnected":
      return (
        <Notice text="The server has ended the connection.">
          <button type="button" className="small" onClick={connection.reconnect}>
            Connect again
          </button>
        </Notice>
      );
    default:
      return null;
  }
}

function Notice({ text, children }: { text: string; children?: React.ReactNode }) {
  return (
    <div className="banner">
      <Icon name="alert" />
      <span>{text}</span>
      {children}
    </div>
  );
}
