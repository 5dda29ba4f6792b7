import type { Express, RequestHandler } from "express";
import type { TSchema } from "typebox";
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
      const handlers = [...guard(route), ...(typeof route.handle === "function" ? [route.handle] : route.handle)];
      if (route.method === "GET") app.get(at, handlers);
      else if (route.method === "POST") app.post(at, handlers);
      else app.delete(at, handlers);
    }
    app.route(at).all(refuseMethod(group.map(({ method }) => (method === "GET" ? "GET, HEAD" : method)).join(", ")));
  }
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
