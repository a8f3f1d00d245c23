import { useCallback, useState } from "react";
import { request, RequestError } from "./request";
import type { RequestAnswer, RequestArgs, RequestEvent } from "./types";
import { useSocket } from "./useSocket";

/**
 * A request as something to render: send it, show that it is pending, show why it failed.
 * The answer is undefined when it failed; the error then says why.
 */
export function useAck<E extends RequestEvent>(event: E, within?: number) {
  const socket = useSocket();
  const [pending, setPending] = useState(0); // how many: send may be called again before the answer
  const [error, setError] = useState<RequestError | null>(null);

  const send = useCallback(
    async (...args: RequestArgs<E>): Promise<RequestAnswer<E> | undefined> => {
      setPending((n) => n + 1);
      setError(null);
      try {
        return await request(socket, event, args, within);
      } catch (err) {
        if (!(err instanceof RequestError)) throw err;
        setError(err);
        return undefined;
      } finally {
        setPending((n) => n - 1);
      }
    },
    [socket, event, within],
  );
  return { send, pending: pending > 0, error };
}
