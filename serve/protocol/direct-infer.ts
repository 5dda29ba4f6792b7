import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { InferenceEngine } from "../engine/inference-engine.ts";
import { whenClientGoes } from "../http/client-gone.ts";
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
): RequestListener {
  return (request, response) => {
    const target =
      request.method === "POST" ? /^\/v2\/models\/([\w.-]+)(?:\/versions\/(\w+))?\/infer$/.exec(request.url!) : null;
    const size = plainSize(request, bodyLimit);
    if (target === null || size === undefined) {
      otherwise(request, response);
      return;
    }
    passGuards(guards, request, response)
      .then(() => answer(engine, { request, response, size, model: target[1]!, version: target[2] }))
      .catch((error: unknown) => sendError(response, error));
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

async function passGuards(guards: readonly Guard[], request: IncomingMessage, response: ServerResponse): Promise<void> {
  for (const guard of guards) {
    await new Promise<void>((resolve, reject) => {
      guard(request, response, (error) => (error === undefined ? resolve() : reject(error)));
    });
  }
}

async function answer(
  engine: InferenceEngine,
  {
    request,
    response,
    size,
    ...target
  }: {
    request: IncomingMessage;
    response: ServerResponse;
    size: number;
    model: string;
    version: string | undefined;
  },
): Promise<void> {
  engine.find(target.model, target.version); // before the body: a wrong name needs no upload
  checkTensorType(request);
  const body = await readBody(request, size);
  if (body === undefined) return; // the client went away while it was sending
  const { headers, body: bytes } = await answerInfer(engine, {
    ...target,
    body,
    headerLength: headerLengthOf(request),
    signal: whenClientGoes(response),
  });
  response.writeHead(200, headers).end(bytes);
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
