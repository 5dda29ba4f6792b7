import type { IncomingMessage, ServerResponse } from "node:http";
import type { Readable, Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import { HttpError } from "../http-error.ts";
import { inviteBody } from "./expect-continue.ts";

/**
 * All bytes of a body, inflated. Unlike Express's own reader it refuses as soon as it knows, by the head where that says
 * how much will come, instead of waiting for the end of a body that nobody wants.
 *
 * @throws HttpError 413 above `limit` bytes, sent or inflated; 415 for an unknown encoding; 400 for a damaged body
 */
export async function readBody(request: IncomingMessage, response: ServerResponse, limit: number): Promise<Buffer> {
  if (Number(request.headers["content-length"] ?? 0) > limit) throw tooLarge(limit);
  const inflater = inflaterOf(request);
  inviteBody(request, response);
  return collect(request, { inflater, limit });
}

const inflaters: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

function inflaterOf({ headers }: IncomingMessage): Transform | undefined {
  const encoding = (headers["content-encoding"] ?? "identity").toLowerCase();
  if (encoding === "identity") return undefined;
  const create = Object.hasOwn(inflaters, encoding) ? inflaters[encoding] : undefined;
  if (create !== undefined) return create();
  const known = Object.keys(inflaters).join(", ");
  throw new HttpError(`Cannot read request: content-encoding must be one of ${known}, got ${encoding}`, {
    status: 415,
    code: "unsupported_encoding",
  });
}

function collect(
  request: IncomingMessage,
  { inflater, limit }: { inflater: Transform | undefined; limit: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const source = inflater ?? request;
    const chunks: Buffer[] = [];
    let open = true;
    const leave = (): void => {
      open = false;
      if (inflater !== undefined) request.unpipe(inflater);
      inflater?.destroy();
      request.resume(); // to its end, so that the connection can be used again
    };
    const refuse = (error: HttpError): void => {
      leave();
      chunks.length = 0;
      reject(error);
    };
    const damaged = (text: string): void => {
      refuse(new HttpError(`Cannot read request: ${text}`, { status: 400, code: "bad_request" }));
    };
    const refuseAbove = (stream: Readable): void => {
      let size = 0;
      stream.on("data", (chunk: Buffer) => {
        size += chunk.length;
        if (open && size > limit) refuse(tooLarge(limit));
      });
    };
    refuseAbove(request);
    if (inflater !== undefined) {
      refuseAbove(inflater);
      inflater.on("error", ({ message }) => damaged(`its body cannot be inflated, ${message}`));
      request.pipe(inflater);
    }
    source.on("data", (chunk: Buffer) => {
      if (open) chunks.push(chunk);
    });
    source.on("end", () => {
      leave();
      resolve(Buffer.concat(chunks));
    });
    request.on("close", () => {
      if (!request.complete) damaged("its body ended early");
    });
  });
}

function tooLarge(limit: number): HttpError {
  return new HttpError(
    `Cannot read request: its body must be at most ${limit} bytes, got more; send fewer rows at a time`,
    { status: 413, code: "too_large" },
  );
}
