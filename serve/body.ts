import express, { type RequestHandler } from "express";
import { UsageError } from "../schemas/errors.ts";
import { HttpError } from "./http-error.ts";

/**
 * Reads a JSON body into `request.body`. A body without a content type is taken for JSON, as clients of the protocol
 * (tritonclient) send none.
 *
 * Answers 415 for another content type or character set, 413 above `limit` bytes (after decompression), 400 for what
 * is not JSON in UTF-8.
 */
export function jsonBody(limit: number): RequestHandler[] {
  return [requireJson, express.raw({ type: () => true, limit }), parse];
}

const requireJson: RequestHandler = (request, _response, next) => {
  const header = request.headers["content-type"];
  if (header === undefined) return next();
  const [type, ...parameters] = header.split(";").map((part) => part.trim().toLowerCase());
  const charset = parameters
    .find((parameter) => parameter.startsWith("charset="))
    ?.slice(8)
    .replaceAll('"', "");
  if (type !== "application/json" || (charset !== undefined && charset !== "utf-8" && charset !== "utf8")) {
    const hint = type === "application/x-www-form-urlencoded" ? "; with curl: -H 'content-type: application/json'" : "";
    throw new HttpError(`Cannot read request: content-type must be application/json in UTF-8, got ${header}${hint}`, {
      status: 415,
      code: "unsupported_media_type",
    });
  }
  next();
};

const decoder = new TextDecoder("utf-8", { fatal: true });

const parse: RequestHandler = (request, _response, next) => {
  // Without a body the parser leaves no buffer.
  const bytes = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
  try {
    request.body = bytes.length === 0 ? undefined : JSON.parse(decoder.decode(bytes));
  } catch (cause) {
    throw new UsageError(`Cannot read request: its body must be JSON, got ${(cause as Error).message}`, {
      code: "bad_json",
      cause,
    });
  }
  next();
};
