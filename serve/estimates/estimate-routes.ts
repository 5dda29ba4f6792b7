import { randomInt } from "node:crypto";
import type { Request, RequestHandler } from "express";
import { UsageError } from "../../schemas/errors.ts";
import {
  type DiscreteRequest,
  discreteRequestSchema,
  estimateRequestSchema,
  estimateSchema,
  type MeasureResponse,
  measureRequestSchema,
  measureResponseSchema,
} from "../../schemas/estimates.ts";
import { infoReportSchema } from "../../schemas/info-report.ts";
import { validate } from "../../schemas/validate.ts";
import type { InferenceEngine, PinnedBundle, ServedModel } from "../engine/inference-engine.ts";
import { jsonBody } from "../http/body.ts";
import { whenClientGoes } from "../http/client-gone.ts";
import type { Route } from "../http/route.ts";
import { HttpError } from "../http-error.ts";
import { findTask, withBundle } from "../tasks/find-task.ts";
import { readTaskBody, taskBody } from "../tasks/task-body.ts";
import { fillInputs } from "../tasks/task-inputs.ts";
import { bodiesOf, readInputs, viewQueryOf } from "../tasks/task-routes.ts";
import { queryOf, withQuery } from "../tasks/task-settings.ts";
import type { EstimateJobs, EstimateWork, RunEstimate } from "./jobs.ts";
import type { MeasureThreads } from "./measure-thread.ts";
import { batchMayPass, type Pause, patiently } from "./patience.ts";
import { prepare } from "./prepare.ts";

export interface EstimateParts {
  readonly engine: InferenceEngine;
  readonly threads: MeasureThreads;
  /** Undefined: this server has no folder to keep estimates in. */
  readonly jobs: EstimateJobs | undefined;
  readonly bodyLimit: number;
  /** Rows that are measured while a client waits, and in the background. */
  readonly maxPairs: number;
  readonly maxBackgroundPairs: number;
}

const kinds = { "common-information": "common_information", "redundant-information": "redundant_information" } as const;

/**
 * Measures one body of work, for clients that wait and for those that do not.
 *
 * @param pause before a batch that failed is repeated; absent for clients that wait: they are told at once
 */
export function measuring(engine: InferenceEngine, threads: MeasureThreads, pause?: Pause): RunEstimate {
  return async ({ bundle, kind, version, seed, resamples, inputs }, { signal, onProgress }) => {
    const { model, prepared } = await withBundle(engine, bundle, async (pinned) => {
      const model = measuringModel(pinned, { kind, given: Object.keys(inputs), version });
      const infer: typeof pinned.infer =
        pause === undefined
          ? pinned.infer
          : (request) => patiently(() => pinned.infer(request), { signal, passes: batchMayPass, pause });
      const asked = { models: pinned.models, infer };
      return { model, prepared: await prepare(asked, { model, inputs, signal, onProgress }) };
    });
    const work = { kind: "codes" as const, input: { ...prepared, seed, resamples } };
    const figures = (await threads.run(work, signal)) as Pick<MeasureResponse, "quantities" | "bounds" | "notes">;
    const rows = Object.values(inputs)[0]!.shape[0]!;
    return { bundle, task: model.task, version: model.version, rows, seed, ...figures };
  };
}

function measuringModel(
  bundle: PinnedBundle,
  { kind, given, version }: { kind: string; given: readonly string[]; version: string | undefined },
): ServedModel {
  const model = findTask(bundle.models, { verb: kinds[kind as keyof typeof kinds], given });
  return version === undefined ? model : bundle.find(model.name, version);
}

export function estimateRoutes(parts: EstimateParts): Route[] {
  const { engine, threads, bodyLimit, maxPairs, maxBackgroundPairs } = parts;
  const run = measuring(engine, threads);

  const workOf = (request: Request, kind: keyof typeof kinds | undefined, maxRows: number): Promise<EstimateWork> =>
    withBundle(engine, String(request.params.bundle), (bundle) => readWork(bundle, { request, kind, maxRows }));

  const measured = (kind: keyof typeof kinds, summary: string): Route => ({
    method: "POST",
    path: `/v1/{bundle}/${kind}`,
    group: "estimates",
    access: "token",
    summary,
    description: `Up to ${maxPairs} rows, answered at once; more go to POST /v1/{bundle}/estimates. Means in bits with bootstrap intervals, and what each number is and is not a bound of.`,
    query: viewQueryOf(measureRequestSchema),
    body: { required: true, content: bodiesOf(measureRequestSchema) },
    answers: { 200: { description: "Figures in bits", content: { "application/json": measureResponseSchema } } },
    handle: [
      ...taskBody(bodyLimit),
      async (request, response) => {
        const work = await workOf(request, kind, maxPairs);
        response.json(await run(work, { signal: whenClientGoes(response), onProgress: () => undefined }));
      },
    ],
  });

  const jobsOf = (): EstimateJobs => {
    if (parts.jobs !== undefined) return parts.jobs;
    throw new HttpError(
      "Cannot estimate: the server must be started with a folder for estimates (--estimates), got none",
      {
        status: 503,
        code: "estimates_off",
      },
    );
  };
  const one = (method: "GET" | "DELETE", summary: string, handle: RequestHandler): Route => ({
    method,
    path: "/v1/{bundle}/estimates/{id}",
    group: "estimates",
    access: "token",
    summary,
    query: [],
    answers: { 200: { description: "Its state", content: { "application/json": estimateSchema } } },
    handle,
  });

  return [
    measured("common-information", "Rates of the common code, how far the encoders agree, bounds on the information"),
    measured("redundant-information", "What sources tell alike about a target"),
    {
      method: "POST",
      path: "/v1/{bundle}/estimates",
      group: "estimates",
      access: "token",
      summary: "The same in the background, for more rows",
      description: `Up to ${maxBackgroundPairs} rows. Outlives a restart of the server.`,
      query: viewQueryOf(estimateRequestSchema),
      body: { required: true, content: bodiesOf(estimateRequestSchema) },
      answers: {
        202: { description: "Taken; Location says where it is", content: { "application/json": estimateSchema } },
      },
      handle: [
        ...taskBody(bodyLimit),
        async (request, response) => {
          const jobs = jobsOf();
          const job = await jobs.add(await workOf(request, undefined, maxBackgroundPairs));
          response.status(202).set("Location", `/v1/${job.bundle}/estimates/${job.id}`).json(job);
        },
      ],
    },
    one("GET", "Progress, and the result when it is done", (request, response) => {
      response.json(jobsOf().find(String(request.params.bundle), String(request.params.id)));
    }),
    one("DELETE", "Cancel one that has not ended; forget one that has", async (request, response) => {
      response.json(await jobsOf().cancel(String(request.params.bundle), String(request.params.id)));
    }),
    {
      method: "POST",
      path: "/v1/discrete-information",
      group: "estimates",
      access: "token",
      summary: "Exact measures of a table",
      description:
        "Entropies, mutual information, Gács-Körner and Wyner common information of two columns; with a third, partial information decompositions about it. Columns hold symbols, not measurements.",
      query: queryOf(discreteRequestSchema, tableKeys),
      body: { required: true, content: { "application/json": discreteRequestSchema } },
      answers: { 200: { description: "Figures in bits", content: { "application/json": infoReportSchema } } },
      handle: [
        ...jsonBody(bodyLimit),
        async (request, response) => {
          const { query, body } = request as { query: Request["query"]; body: unknown };
          const isObject = typeof body === "object" && body !== null && !Array.isArray(body);
          const whole = isObject ? withQuery({ ...body }, { query, schema: discreteRequestSchema }) : body;
          const table = validate(discreteRequestSchema, whole, "read request");
          requireTable(table);
          response.json(await threads.run({ kind: "table", table }, whenClientGoes(response)));
        },
      ],
    },
  ];
}

/** Keys of a table's body that are the table; the others are settings. */
const tableKeys = ["columns", "rows", "counts", "probabilities"];

async function readWork(
  bundle: PinnedBundle,
  { request, kind, maxRows }: { request: Request; kind: keyof typeof kinds | undefined; maxRows: number },
): Promise<EstimateWork> {
  const schema = kind === undefined ? estimateRequestSchema : measureRequestSchema;
  const { settings, inputs: given } = await readTaskBody(request, schema);
  const body = { kind: kind ?? "common-information", ...settings }; // where the route names none, the settings do
  const { version } = body;
  const model = measuringModel(bundle, { kind: body.kind, given: Object.keys(given), version });
  const { inputs } = fillInputs(model.spec.inputs, {
    given: readInputs(given, model.spec.inputs),
    samples: 1,
    seed: 0,
    maxRows,
  });
  return {
    bundle: model.bundle.name,
    kind: body.kind,
    version,
    seed: body.seed ?? randomInt(2 ** 47),
    resamples: body.resamples,
    inputs,
  };
}

function requireTable({ columns, rows, counts, probabilities }: DiscreteRequest): void {
  const fault = (text: string, path: (string | number)[]) =>
    new UsageError(`Cannot measure table: ${text}`, { code: "bad_table", path });
  const twice = columns.findIndex((name, i) => columns.indexOf(name) !== i);
  if (twice >= 0)
    throw fault(`columns must have names of their own, got "${columns[twice]}" twice`, ["columns", twice]);
  const given = Object.entries({ rows, counts, probabilities }).filter(([, lines]) => lines !== undefined);
  const [[name, lines] = ["", []]] = given;
  if (given.length !== 1 || lines === undefined) {
    const got = given.map(([key]) => key).join(" and ");
    throw fault(`it must have either rows, counts or probabilities, got ${got || "none"}`, []);
  }
  if (name !== "rows" && columns.length !== 2) throw fault(`${name} must be of two columns, got three`, ["columns"]);
  const width = name === "rows" ? columns.length : lines[0]!.length;
  const odd = lines.findIndex((line) => line.length !== width);
  if (odd >= 0)
    throw fault(`${name} must have ${width} entries in line ${odd}, got ${lines[odd]!.length}`, [name, odd]);
}
