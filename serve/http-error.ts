import type { ServerResponse } from "node:http";
import type { ErrorRequestHandler } from "express";
import { FailureError, UsageError } from "../schemas/errors.ts";
import type { ErrorBody } from "../schemas/open-inference.ts";
import { isHeld } from "./http/expect-continue.ts";
import { hangUpAfter } from "./http/hang-up.ts";

/** An error with the status it has at the HTTP edge. */
export class HttpError extends Error {
  override readonly name = "HttpError";
  readonly status: number;
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    message: string,
    options: { status: number; code: string; path?: readonly (string | number)[]; headers?: Record<string, string> },
  ) {
    super(message);
    this.status = options.status;
    this.code = options.code;
    this.path = options.path ?? [];
    this.headers = options.headers ?? {};
  }
}

/** The server cannot answer now and may soon. */
export function unavailable(message: string, code: string): HttpError {
  return new HttpError(message, { status: 503, code, headers: { "Retry-After": "1" } });
}

/** What Express throws, for a path that cannot be decoded: an Error with a status. */
interface ExpressError extends Error {
  readonly status: number;
}

function isExpressError(error: unknown): error is ExpressError {
  return error instanceof Error && "status" in error && typeof error.status === "number" && error.status < 500;
}

/** Any error as an answer. What is not foreseen is a defect: it is logged whole, and answered without its details. */
export function toHttpError(error: unknown): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof UsageError) {
    return new HttpError(error.message, { status: 400, code: error.code, path: error.path });
  }
  if (error instanceof FailureError) return new HttpError(error.message, { status: 500, code: error.code });
  if (isExpressError(error)) {
    return new HttpError(`Cannot read request: ${error.message}`, { status: error.status, code: "bad_request" });
  }
  console.error(error);
  return new HttpError("Cannot answer: the server failed, its log says why", { status: 500, code: "internal" });
}

export const answerError: ErrorRequestHandler = (error, _request, response, _next) => sendError(response, error);

/** Needs nothing of Express. */
export function sendError(response: ServerResponse, error: unknown): void {
  const fault = toHttpError(error);
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const { req: request } = response;
  // Nobody will read the rest of this body: the client is told so, not listened to until it has sent it all.
  if (isHeld(request) || (fault.status === 413 && !request.complete)) hangUpAfter(response);
  const body: ErrorBody = { error: fault.message, code: fault.code, path: [...fault.path] };
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(fault.status, {
    ...fault.headers,
    "Content-Type": "application/json; charset=utf-8",
    "Content-Length": bytes.length,
  });
  response.end(bytes);
}
