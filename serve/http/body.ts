import type { Request, RequestHandler } from "express";
import { UsageError } from "../../schemas/errors.ts";
import { HttpError } from "../http-error.ts";
import { readBody } from "./read-body.ts";

/**
 * The body's bytes in `request.body`, whatever they are. Answers 413 above `limit` bytes (sent or inflated) as soon as
 * that is known, 415 for an unknown content encoding.
 */
export function rawBody(limit: number): RequestHandler {
  return async (request, response, next) => {
    request.body = await readBody(request, response, limit);
    next();
  };
}

/** The bytes that `rawBody` left. */
export function bytesOfBody(request: Request): Uint8Array {
  return request.body as Buffer;
}

/**
 * Reads a JSON body into `request.body`. A body without a content type is taken for JSON, as clients of the protocol
 * (tritonclient) send none.
 *
 * Answers 415 for another content type or character set, 413 above `limit` bytes (sent or inflated), 400 for what
 * is not JSON in UTF-8.
 */
export function jsonBody(limit: number): RequestHandler[] {
  const parse: RequestHandler = (request, _response, next) => {
    const bytes = bytesOfBody(request);
    request.body = bytes.length === 0 ? undefined : parseJson(bytes);
    next();
  };
  return [requireJson, rawBody(limit), parse];
}

/** The media type without its parameters, in lower case; undefined where there is none. */
export function mediaType(header: string | undefined): string | undefined {
  return header?.split(";")[0]?.trim().toLowerCase();
}

export const requireJson: RequestHandler = (request, _response, next) => {
  const header = request.headers["content-type"];
  if (header !== undefined && !isJson(header)) throw unsupported(header, "application/json in UTF-8");
  next();
};

export function isJson(header: string): boolean {
  const charset = /;\s*charset\s*=\s*"?([^\s;"]*)/i.exec(header)?.[1]?.toLowerCase() ?? "utf-8";
  return mediaType(header) === "application/json" && (charset === "utf-8" || charset === "utf8");
}

export function unsupported(header: string, wanted: string): HttpError {
  const form = mediaType(header) === "application/x-www-form-urlencoded";
  const hint = form ? "; with curl: -H 'content-type: application/json'" : "";
  return new HttpError(`Cannot read request: content-type must be ${wanted}, got ${header}${hint}`, {
    status: 415,
    code: "unsupported_media_type",
  });
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** @throws UsageError for what is not JSON in UTF-8 */
export function parseJson(bytes: Uint8Array): unknown {
  return parseText(textOf(bytes));
}

/** @throws UsageError for what is not UTF-8 */
export function textOf(bytes: Uint8Array): string {
  return orBadJson(() => decoder.decode(bytes));
}

/** @throws UsageError for what is not JSON */
export function parseText(text: string): unknown {
  return orBadJson(() => JSON.parse(text));
}

function orBadJson<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw new UsageError(`Cannot read request: its body must be JSON, got ${(cause as Error).message}`, {
      code: "bad_json",
      cause,
    });
  }
}
