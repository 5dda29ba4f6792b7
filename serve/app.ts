import type { RequestListener } from "node:http";
import { createRequire } from "node:module";
import express, { type Express, type RequestHandler } from "express";
import helmet from "helmet";
import { type Logger, pino } from "pino";
import type { RequestLimits } from "../schemas/serve-config.ts";
import { checkedHead } from "./edge/check-head.ts";
import { Exchanges } from "./edge/exchanges.ts";
import { createMetrics, type Metrics } from "./edge/metrics.ts";
import { observed } from "./edge/observe.ts";
import { isProbe, rateGuard } from "./edge/rate-limit.ts";
import { type Tokens, tokenGuard } from "./edge/tokens.ts";
import { limitDefaults } from "./engine/defaults.ts";
import type { InferenceEngine } from "./engine/inference-engine.ts";
import { estimateRoutes } from "./estimates/estimate-routes.ts";
import type { EstimateJobs } from "./estimates/jobs.ts";
import { MeasureThreads } from "./estimates/measure-thread.ts";
import { mount, type Route } from "./http/route.ts";
import { answerError, HttpError } from "./http-error.ts";
import { baseUrl, indexPage } from "./index-page.ts";
import { docsRoutes } from "./openapi/docs-routes.ts";
import { directInfer, type Guard } from "./protocol/direct-infer.ts";
import { inferRoutes } from "./protocol/infer-routes.ts";
import { modelRoutes } from "./protocol/model-routes.ts";
import { repositoryRoutes, statisticsRoutes } from "./protocol/repository-routes.ts";
import { taskRoutes } from "./tasks/task-routes.ts";
import { traverseRoute } from "./tasks/traverse-route.ts";

export interface AppParts {
  readonly engine: InferenceEngine;
  /** Largest body, bytes, after decompression. */
  readonly bodyLimit: number;
  readonly tokens?: Tokens;
  /** What one request of a task route may ask for; what is left out is as in `limitDefaults`. */
  readonly limits?: Partial<RequestLimits> | undefined;
  /** Requests of one address a minute; undefined: any number. */
  readonly ratePerMinute?: number | undefined;
  /** Default: nothing is written. */
  readonly logger?: Logger;
  /** Counts what is at work, for a server that stops; default: nobody asks. */
  readonly exchanges?: Exchanges;
  /** Default: threads of this app alone. */
  readonly measures?: MeasureThreads;
  /** Estimates in the background; undefined: this server keeps none. */
  readonly jobs?: EstimateJobs | undefined;
  /** The browser demo (`demo-site.ts`), tried before the routes; what it does not answer goes on to them. */
  readonly demo?: RequestHandler;
  /** Whether the port speaks TLS: for the commands of `GET /`. */
  readonly tls?: boolean;
}

// The package by its own name: the way from dist/ differs from the way from the sources.
const { version } = createRequire(import.meta.url)("cominfo/package.json") as { version: string };

/** Everything the server answers, as a function of requests. Opens no port. */
export function createApp(parts: AppParts): RequestListener {
  const { engine, bodyLimit, tokens = {}, ratePerMinute, logger = pino({ level: "silent" }) } = parts;
  const { exchanges = new Exchanges() } = parts;
  const metrics = createMetrics(engine, { version });
  const metricsOpen = tokens.client === undefined;
  const rate =
    ratePerMinute === undefined ? [] : [rateGuard(ratePerMinute, (request) => isProbe(request, { metricsOpen }))];
  const otherwise = expressOf(parts, metrics, rate);
  // Whatever stands before `infer` in Express must be among these guards as well.
  const guards = [...rate, tokenGuard("token", tokens)];
  return observed(checkedHead(directInfer(engine, { bodyLimit, guards, otherwise })), {
    engine,
    exchanges,
    logger,
    metrics,
  });
}

/** Answers to programs are data: nothing in them may be run, framed or loaded. The page of documents says its own. */
const secured = helmet({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
  },
});

export function expressOf(parts: AppParts, metrics: Metrics, first: readonly Guard[] = []): Express {
  const app = express();
  app.disable("x-powered-by");
  app.disable("etag");
  app.use([secured, ...first]);
  if (parts.demo !== undefined) app.use(parts.demo);
  mount(app, routesOf(parts, metrics), ({ access }) => [tokenGuard(access, parts.tokens ?? {})]);
  app.use((request) => {
    throw new HttpError(`Cannot serve ${request.method} ${request.path}: there is no such route, GET / lists them`, {
      status: 404,
      code: "no_route",
    });
  });
  app.use(answerError);
  return app;
}

/** Every route of the server, in the order in which they are tried. */
export function routesOf(
  { engine, bodyLimit, jobs, limits, measures = new MeasureThreads(), tls = false }: AppParts,
  metrics: Metrics,
): Route[] {
  const { maxRows, maxPairs, maxBackgroundPairs } = { ...limitDefaults, ...limits };
  const index: Route = {
    method: "GET",
    path: "/",
    group: "operation",
    access: "token",
    summary: "What is served, with commands to try",
    answers: { 200: { description: "Models and routes" } },
    handle: (request, response) => {
      const base = baseUrl(request.headers.host, { tls });
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
    ...taskRoutes(engine, { bodyLimit, maxRows }),
    ...estimateRoutes({ engine, threads: measures, jobs, bodyLimit, maxPairs, maxBackgroundPairs }),
    traverseRoute(engine, { bodyLimit, maxRows }),
    {
      method: "GET",
      path: "/metrics",
      group: "operation",
      access: "token",
      summary: "Counts and times for Prometheus",
      answers: { 200: { description: "Exposition format", content: { "text/plain": "binary" } } },
      handle: async (_request, response) => {
        const { type, body } = await metrics.text();
        response.set("Content-Type", type).send(body);
      },
    },
    ...docsRoutes(() => routes, { version }),
  ];
  return routes;
}
