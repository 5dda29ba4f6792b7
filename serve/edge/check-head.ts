import type { IncomingMessage } from "node:http";
import { setHeaders } from "../http/headers.ts";
import { HttpError, sendError } from "../http-error.ts";
import type { ObservedListener } from "./observe.ts";

/**
 * Refuses heads that HTTP wants refused. Node would do it before the app sees the request, with no body, no line in the
 * log and no count; `listen` has it leave them to the app.
 */
export function checkedHead(handler: ObservedListener): ObservedListener {
  return (request, response, own) => {
    const fault = faultOf(request);
    if (fault === undefined) {
      handler(request, response, own);
      return;
    }
    setHeaders(response, own);
    sendError(response, fault);
  };
}

function faultOf({ headers: { host, expect }, httpVersion }: IncomingMessage): HttpError | undefined {
  // RFC 9112, 3.2; HTTP/1.0 has no such header. What follows such a head is not to be trusted.
  if (host === undefined && httpVersion === "1.1") {
    return new HttpError("Cannot read request: it must have the header Host, got none", {
      status: 400,
      code: "bad_http",
      headers: { Connection: "close" },
    });
  }
  // RFC 9110, 10.1.1: there is one expectation.
  if (expect !== undefined && expect.toLowerCase() !== "100-continue") {
    return new HttpError(
      `Cannot serve request: the header Expect must be 100-continue or left out, got "${expect.slice(0, 40)}"`,
      { status: 417, code: "bad_expectation" },
    );
  }
  return undefined;
}
