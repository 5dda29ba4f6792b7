import type { IncomingMessage } from "node:http";
import type { Request, Response } from "express";
import { rateLimit } from "express-rate-limit";
import { HttpError } from "../http-error.ts";
import type { Guard } from "../protocol/direct-infer.ts";

/**
 * At most `perMinute` requests of one address a minute: 429 with Retry-After above that.
 *
 * @param isFree requests that are answered and not counted
 */
export function rateGuard(perMinute: number, isFree: (request: IncomingMessage) => boolean): Guard {
  const limiter = rateLimit({
    windowMs: 60_000,
    limit: perMinute,
    standardHeaders: "draft-7",
    legacyHeaders: false,
    // Of the connection itself: a header of a client's would let it choose whom it is counted as.
    keyGenerator: (request) => request.socket.remoteAddress ?? "unknown",
    validate: false, // its checks ask Express about proxies, which the line above leaves out of it
    handler: (_request, response, next) => {
      const wait = response.getHeader("Retry-After");
      next(
        new HttpError(`Cannot serve request: at most ${perMinute} a minute are answered, got more`, {
          status: 429,
          code: "rate_limited",
          headers: wait === undefined ? {} : { "Retry-After": String(wait) },
        }),
      );
    },
  });
  return (request, response, next) => {
    if (isFree(request)) next();
    // It asks nothing of Express beside the types.
    else void limiter(request as Request, response as Response, next);
  };
}

/**
 * What asks again and again how the server does. A probe that is refused has the server restarted or taken out of
 * service, and all of them may come from one address, the node's. Metrics that want a token are not among them: nobody
 * may try tokens without end.
 */
export function isProbe({ method, url }: IncomingMessage, { metricsOpen }: { metricsOpen: boolean }): boolean {
  if (method !== "GET" && method !== "HEAD") return false;
  const path = (url ?? "").replace(/\?.*$/s, "");
  return path === "/v2/health/live" || path === "/v2/health/ready" || (metricsOpen && path === "/metrics");
}
