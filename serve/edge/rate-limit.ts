import type { Request, Response } from "express";
import { rateLimit } from "express-rate-limit";
import { HttpError } from "../http-error.ts";
import type { Guard } from "../protocol/direct-infer.ts";

/** At most `perMinute` requests of one address a minute: 429 with Retry-After above that. */
export function rateGuard(perMinute: number): Guard {
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
  // It asks nothing of Express beside the types.
  return (request, response, next) => void limiter(request as Request, response as Response, next);
}
