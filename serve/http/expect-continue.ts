import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";

/** Requests whose client asked (`Expect: 100-continue`) whether to send its body, and whether they keep the connection. */
const waiting = new WeakMap<IncomingMessage, boolean>();

/**
 * For `checkContinue`, where Node itself would ask for every body: the body is asked for when somebody reads it, so that
 * a request that is refused by its head alone - 401, 404, 413, 415, 429 - is never uploaded.
 */
export function holdBody(handler: RequestListener): RequestListener {
  return (request, response) => {
    waiting.set(request, response.shouldKeepAlive);
    response.shouldKeepAlive = false; // after an answer without "continue" nobody knows whether the body still comes
    handler(request, response);
  };
}

/** Asks for the body, if the client waits for that. For whoever is about to read one. */
export function inviteBody(request: IncomingMessage, response: ServerResponse): void {
  const keepAlive = waiting.get(request);
  if (keepAlive === undefined) return;
  waiting.delete(request);
  response.shouldKeepAlive = keepAlive;
  response.writeContinue();
}

/** Whether the client still waits to be asked for the body. */
export function isHeld(request: IncomingMessage): boolean {
  return waiting.has(request);
}
