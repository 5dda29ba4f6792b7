import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Access } from "../http/route.ts";
import { HttpError } from "../http-error.ts";
import type { Guard } from "../protocol/direct-infer.ts";

export interface Tokens {
  /** Wanted on every route but health and documents; undefined: those are open. */
  readonly client?: string | undefined;
  /** Wanted for load and unload, and good for everything else; undefined: nobody may. */
  readonly operator?: string | undefined;
}

/** Bearer tokens (RFC 6750). Answers 401 without a token or with a wrong one, 403 where no token could do. */
export function tokenGuard(access: Access, { client, operator }: Tokens): Guard {
  if (access === "open" || (access === "token" && client === undefined)) return (_request, _response, next) => next();
  const known = (access === "token" ? [client, operator] : [operator]).filter((token) => token !== undefined);
  const digests = known.map(digestOf);
  return (request, _response, next) => {
    if (digests.length === 0) {
      return next(
        new HttpError(
          `Cannot serve ${request.method} ${pathOf(request)}: the server must be started with an operator's token, got none`,
          { status: 403, code: "operator_off" },
        ),
      );
    }
    const given = /^Bearer +([^\s]+)$/i.exec(request.headers.authorization ?? "")?.[1];
    // Digests are of one length, and comparing them takes the same time wherever they differ.
    const digest = given === undefined ? undefined : digestOf(given);
    const matches = digest === undefined ? [] : digests.map((wanted) => timingSafeEqual(wanted, digest));
    if (matches.includes(true)) return next();
    const got = given === undefined ? "none" : "another";
    next(
      new HttpError(
        `Cannot serve ${request.method} ${pathOf(request)}: Authorization must be a valid Bearer token, got ${got}`,
        {
          status: 401,
          code: "unauthorized",
          headers: { "WWW-Authenticate": given === undefined ? "Bearer" : 'Bearer error="invalid_token"' },
        },
      ),
    );
  };
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}

function pathOf({ url }: IncomingMessage): string {
  return (url ?? "").replace(/\?.*$/s, "");
}
