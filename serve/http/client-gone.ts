import type { Response } from "express";

/** Aborted when the connection closes before the answer was sent: the client will not read it. */
export function whenClientGoes(response: Response): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
