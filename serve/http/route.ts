import type { Express, RequestHandler } from "express";
import type { TSchema } from "typebox";
import { UsageError } from "../../schemas/errors.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import { preview } from "../../schemas/validate.ts";
import { HttpError } from "../http-error.ts";

/** Who may call: anybody; holders of the token if one is set; holders of the operator's token, nobody without one. */
export type Access = "open" | "token" | "operator";

export interface QueryParameter {
  readonly name: string;
  readonly description: string;
  readonly schema: TSchema;
}

/** What a body or an answer may look like, by media type. "binary": bytes that no schema describes. */
export type Content = Readonly<Record<string, TSchema | "binary">>;

/**
 * One route as data: Express and the OpenAPI document are both made from it, so that neither can know a route that the
 * other does not.
 */
export interface Route {
  readonly method: "GET" | "POST" | "DELETE";
  /** As OpenAPI writes it: `/v2/models/{model}/infer` */
  readonly path: string;
  readonly group: "protocol" | "repository" | "tasks" | "estimates" | "operation";
  readonly access: Access;
  readonly summary: string;
  readonly description?: string;
  /** All that may stand in the query: anything else is refused. Left out: nothing in it is read, nothing refused. */
  readonly query?: readonly QueryParameter[];
  readonly body?: { readonly required: boolean; readonly content: Content };
  /** By status; errors have one form and are not listed. */
  readonly answers: Readonly<Record<number, { readonly description: string; readonly content?: Content }>>;
  readonly handle: RequestHandler | readonly RequestHandler[];
}

/**
 * Adds routes to an app, and to each path a 405 for its other methods.
 *
 * @param guard what stands before a route, by who may call it
 */
export function mount(
  app: Express,
  routes: readonly Route[],
  guard: (route: Route) => readonly RequestHandler[],
): void {
  for (const path of new Set(routes.map((route) => route.path))) {
    const group = routes.filter((route) => route.path === path);
    const at = path.replaceAll(/\{(\w+)\}/g, ":$1"); // braces mean something else to Express
    for (const route of group) {
      const handle = typeof route.handle === "function" ? [route.handle] : route.handle;
      const handlers = [...guard(route), ...(route.query === undefined ? [] : [closedQuery(route.query)]), ...handle];
      if (route.method === "GET") app.get(at, handlers);
      else if (route.method === "POST") app.post(at, handlers);
      else app.delete(at, handlers);
    }
    app.route(at).all(refuseMethod(group.map(({ method }) => (method === "GET" ? "GET, HEAD" : method)).join(", ")));
  }
}

/** A mistyped setting must not be answered as if it were not there. */
function closedQuery(parameters: readonly QueryParameter[]): RequestHandler {
  const known = parameters.map(({ name }) => name);
  return (request, _response, next) => {
    const unknown = Object.keys(request.query).find((name) => !known.includes(name));
    if (unknown === undefined) return next();
    throw new UsageError(
      `Cannot read request: unknown key ${preview(unknown)} in the query${didYouMean(unknown, known)}`,
      {
        code: "invalid",
        path: [unknown],
      },
    );
  };
}

function refuseMethod(allowed: string): RequestHandler {
  return (request) => {
    throw new HttpError(`Cannot serve ${request.method} ${request.path}: the method must be ${allowed}`, {
      status: 405,
      code: "wrong_method",
      headers: { Allow: allowed },
    });
  };
}
