import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { ObservedListener } from "../edge/observe.ts";
import type { InferenceEngine } from "../engine/inference-engine.ts";
import { ClientGone } from "../http/client-gone.ts";
import { inviteBody } from "../http/expect-continue.ts";
import { type HeaderList, setHeaders } from "../http/headers.ts";
import { sendError } from "../http-error.ts";
import { answerInfer, checkTensorType, headerLengthOf } from "./infer-routes.ts";

/**
 * Answers plain requests to `infer` without Express, which costs more than everything else this process does for such a
 * request (bench/README.md). Both ways share what reads, checks and answers a request; what is not plain - a
 * transfer encoding, a compressed body, one that is too large, a name with escapes - is Express's.
 *
 * @param guards what stands before the route in Express, which stands before it here as well
 */
export function directInfer(
  engine: InferenceEngine,
  { bodyLimit, guards, otherwise }: { bodyLimit: number; guards: readonly Guard[]; otherwise: RequestListener },
): ObservedListener {
  return (request, response, own) => {
    const target =
      request.method === "POST" ? /^\/v2\/models\/([\w.-]+)(?:\/versions\/(\w+))?\/infer$/.exec(request.url!) : null;
    const size = target === null ? undefined : plainSize(request, bodyLimit);
    if (target === null || size === undefined) {
      setHeaders(response, own);
      otherwise(request, response);
      return;
    }
    const refuse = (error: unknown): void => {
      if (!response.headersSent) setHeaders(response, own);
      sendError(response, error);
    };
    const [, model, version] = target;
    passGuards(guards, { request, response }, (error) => {
      if (error !== undefined) refuse(error);
      else answer(engine, { request, response, own, size, model: model!, version }).catch(refuse);
    });
  };
}

/** A connect-style handler that needs nothing of Express: calls `next`, with an error to refuse. */
export type Guard = (request: IncomingMessage, response: ServerResponse, next: (error?: unknown) => void) => void;

/** Bytes of a body that can be read as it is; undefined otherwise. */
function plainSize({ headers }: IncomingMessage, limit: number): number | undefined {
  const length = headers["content-length"];
  if (length === undefined || headers["content-encoding"] !== undefined || headers["transfer-encoding"] !== undefined) {
    return undefined;
  }
  const size = Number(length);
  return size <= limit ? size : undefined;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** One after the other; stops at the first that refuses. */
function passGuards(guards: readonly Guard[], exchange: Exchange, done: (error?: unknown) => void): void {
  const [guard, ...rest] = guards;
  if (guard === undefined) {
    done();
    return;
  }
  guard(exchange.request, exchange.response, (error) => {
    if (error === undefined) passGuards(rest, exchange, done);
    else done(error);
  });
}

interface InferExchange extends Exchange {
  readonly own: HeaderList;
  readonly size: number;
  readonly model: string;
  readonly version: string | undefined;
}

async function answer(
  engine: InferenceEngine,
  { request, response, own, size, model, version }: InferExchange,
): Promise<void> {
  engine.find(model, version); // before the body: a wrong name needs no upload
  checkTensorType(request);
  inviteBody(request, response);
  const body = await readBody(request, size);
  if (body === undefined) return; // the client went away while it was sending
  const headerLength = headerLengthOf(request);
  const signal = new ClientGone(response);
  const { headers, body: bytes } = await answerInfer(engine, { model, version, body, headerLength, signal });
  response.writeHead(200, [...own, ...headers]).end(bytes);
}

function readBody(request: IncomingMessage, size: number): Promise<Uint8Array | undefined> {
  return new Promise((resolve) => {
    let body: Buffer | undefined;
    let filled = 0;
    request.on("data", (chunk: Buffer) => {
      if (body === undefined && chunk.length === size) body = chunk;
      else {
        body ??= Buffer.allocUnsafeSlow(size);
        body.set(chunk, filled); // Node's parser gives at most the announced bytes
      }
      filled += chunk.length;
    });
    request.on("end", () => resolve(body ?? Buffer.alloc(0)));
    request.on("close", () => resolve(undefined)); // after "end" this changes nothing
  });
}
