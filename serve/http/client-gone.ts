import type { ServerResponse } from "node:http";

/** Aborted when the connection closes before the answer was sent: the client will not read it. */
export function whenClientGoes(response: ServerResponse): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
