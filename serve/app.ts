import type { RequestListener } from "node:http";
import { createRequire } from "node:module";
import express from "express";
import type { InferenceEngine } from "./engine/inference-engine.ts";
import { mount, type Route } from "./http/route.ts";
import { answerError, HttpError } from "./http-error.ts";
import { baseUrl, indexPage } from "./index-page.ts";
import { docsRoutes } from "./openapi/docs-routes.ts";
import { directInfer } from "./protocol/direct-infer.ts";
import { inferRoutes } from "./protocol/infer-routes.ts";
import { modelRoutes } from "./protocol/model-routes.ts";
import { repositoryRoutes, statisticsRoutes } from "./protocol/repository-routes.ts";
import { taskRoutes } from "./tasks/task-routes.ts";
import { traverseRoute } from "./tasks/traverse-route.ts";

export interface AppParts {
  readonly engine: InferenceEngine;
  /** Largest body, bytes, after decompression. */
  readonly bodyLimit: number;
}

// The package by its own name: the way from dist/ differs from the way from the sources.
const { version } = createRequire(import.meta.url)("cominfo/package.json") as { version: string };

/** Everything the server answers, as a function of requests. Opens no port. */
export function createApp(parts: AppParts): RequestListener {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  mount(app, routesOf(parts), () => []);
  app.use((request) => {
    throw new HttpError(`Cannot serve ${request.method} ${request.path}: there is no such route, GET / lists them`, {
      status: 404,
      code: "no_route",
    });
  });
  app.use(answerError);
  // Whatever stands before `infer` in Express must be among these guards as well.
  return directInfer(parts.engine, { bodyLimit: parts.bodyLimit, guards: [], otherwise: app });
}

/** Every route of the server, in the order in which they are tried. */
export function routesOf({ engine, bodyLimit }: AppParts): Route[] {
  const index: Route = {
    method: "GET",
    path: "/",
    group: "operation",
    access: "token",
    summary: "What is served, with commands to try",
    answers: { 200: { description: "Models and routes" } },
    handle: (request, response) => {
      const base = baseUrl(request.headers.host, { tls: false });
      const page = indexPage(engine, { version, base, routes });
      response.type("json").send(`${JSON.stringify(page, null, 2)}\n`); // for people: indented
    },
  };
  const routes: Route[] = [
    index,
    ...statisticsRoutes(engine),
    ...modelRoutes(engine, { version }),
    ...inferRoutes(engine, { bodyLimit }),
    ...repositoryRoutes(engine),
    ...taskRoutes(engine, { bodyLimit, maxRows: 1024 }),
    traverseRoute(engine, { bodyLimit, maxRows: 1024 }),
    ...docsRoutes(() => routes, { version }),
  ];
  return routes;
}
