import { randomUUID } from "node:crypto";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import type { Logger } from "pino";
import type { InferenceEngine } from "../engine/inference-engine.ts";
import { type HeaderList, setHeaders } from "../http/headers.ts";
import { sendError, unavailable } from "../http-error.ts";
import { asksForWork, type Exchanges } from "./exchanges.ts";
import type { Metrics } from "./metrics.ts";
import { startTrace } from "./trace-context.ts";

/**
 * A listener with the headers that every answer must carry. It sets them, or writes them with its own in one call, which
 * costs Node half of it.
 */
export type ObservedListener = (request: IncomingMessage, response: ServerResponse, own: HeaderList) => void;

export interface ObservingParts {
  readonly engine: Pick<InferenceEngine, "draining">;
  readonly exchanges: Exchanges;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/**
 * Around every request: an id (the caller's `X-Request-Id`, or a new one), a trace, one line in the log, metrics. Of a
 * request the log holds method, route, status, time and ids: no path, no query, no body, no address, since any of those
 * can be a user's.
 *
 * It is also where a server that stops parts what it still finishes from what it refuses: nothing behind it can tell
 * whether a request began before.
 */
export function observed(
  handler: ObservedListener,
  { engine, exchanges, logger, metrics }: ObservingParts,
): RequestListener {
  return (request, response) => {
    const late = engine.draining;
    if (!late) exchanges.begin();
    const started = performance.now();
    const id = requestId(request);
    const trace = startTrace(request);
    const own = ["X-Request-Id", id, "X-Content-Type-Options", "nosniff"];
    if (trace.traceparent !== undefined) own.push("traceparent", trace.traceparent);
    response.on("close", () => {
      if (!late) exchanges.end();
      const seconds = (performance.now() - started) / 1000;
      const method = knownMethods.has(request.method ?? "") ? request.method! : "other";
      const route = routeOf(request);
      // The client went away before the whole answer was there.
      const status = response.writableFinished ? response.statusCode : 499;
      metrics.answered({ method, route, status, seconds });
      trace.end({ status, route });
      const level = levelOf({ status, route });
      if (!logger.isLevelEnabled(level)) return;
      const milliseconds = Math.round(seconds * 1e5) / 100;
      const traceId = trace.traceId === undefined ? {} : { traceId: trace.traceId };
      logger[level]({ id, method, route, status, milliseconds, ...traceId }, "answered");
    });
    if (late && asksForWork(request)) {
      setHeaders(response, own);
      sendError(response, unavailable("Cannot answer: the server is stopping", "stopping"));
      return;
    }
    handler(request, response, own);
  };
}

const knownMethods = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]);

/** Failures are seen by default; what went well, thousands of times a second, is not. */
function levelOf({ status, route }: { status: number; route: string }): "debug" | "info" | "warn" {
  if (status >= 500 && !route.startsWith("/v2/health")) return "warn";
  return status >= 400 && status < 500 ? "info" : "debug";
}

function requestId({ headers }: IncomingMessage): string {
  const given = headers["x-request-id"];
  return typeof given === "string" && /^[\w.:-]{1,128}$/.test(given) ? given : randomUUID();
}

/** The pattern of a route: few values, whatever clients send. */
function routeOf(request: IncomingMessage & { route?: { path?: unknown } }): string {
  if (typeof request.route?.path === "string") return request.route.path.replaceAll(/:(\w+)/g, "{$1}");
  return /^\/v2\/models\/[\w.-]+(\/versions\/\w+)?\/infer$/.test(request.url ?? "")
    ? "/v2/models/{model}/infer"
    : "none";
}

/** For a response that Node answers itself: a head that is too large or too slow. */
export function refuseBadHead(
  error: Error & { code?: string },
  socket: { writable: boolean; end(text: string): void; destroy(): void },
): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const large = error.code === "HPE_HEADER_OVERFLOW";
  const slow = error.code === "ERR_HTTP_REQUEST_TIMEOUT";
  const [status, wanted] = large
    ? ["431 Request Header Fields Too Large", "shorter"]
    : slow
      ? ["408 Request Timeout", "sent faster"]
      : ["400 Bad Request", "HTTP/1.1"];
  const body = JSON.stringify({ error: `Cannot read request: it must be ${wanted}`, code: "bad_http", path: [] });
  const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}`;
  socket.end(`${head}\r\nConnection: close\r\n\r\n${body}`);
}
