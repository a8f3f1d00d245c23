import { secondsLeft } from "../socket/backoff";
import { useConnectionStatus, type ConnectionStatus } from "../socket";
import { useNow } from "../lib/useNow";

/** How the page is connected, always on it. */
export function ConnectionState() {
  const status = useConnectionStatus();
  if (status.state === "idle") return null;
  return (
    <p
      role="status"
      className="connection"
      data-state={status.state}
      data-transport={status.state === "connected" ? status.transport : undefined}
    >
      <span className="light" aria-hidden="true" />
      <Words status={status} />
    </p>
  );
}

function Words({ status }: { status: ConnectionStatus }) {
  switch (status.state) {
    case "connected":
      return (
        <span>
          Connected<span className="by"> by {status.transport === "websocket" ? "WebSocket" : status.transport}</span>
        </span>
      );
    case "reconnecting":
      return status.retryAt === null ? <span>Reconnecting…</span> : <Countdown until={status.retryAt} />;
    case "offline":
      return <span>Offline</span>;
    case "refused":
      return <span>Refused</span>;
    case "disconnected":
      return <span>Disconnected</span>;
    default:
      return <span>Connecting…</span>;
  }
}

/** The seconds are for eyes only: a screen reader would read out each of them. */
function Countdown({ until }: { until: number }) {
  const now = useNow(250);
  return (
    <span>
      Reconnecting<span aria-hidden="true"> in {secondsLeft(until, now)} s</span>
    </span>
  );
}
