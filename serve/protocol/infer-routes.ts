import type { IncomingMessage } from "node:http";
import type { Request, RequestHandler, Response } from "express";
import { UsageError } from "../../schemas/errors.ts";
import { inferRequestSchema, inferResponseSchema } from "../../schemas/open-inference.ts";
import type { CancelSignal, InferenceEngine, ServedModel } from "../engine/inference-engine.ts";
import { bytesOfBody, isJson, mediaType, rawBody, unsupported } from "../http/body.ts";
import { ClientGone } from "../http/client-gone.ts";
import type { HeaderList } from "../http/headers.ts";
import type { Route } from "../http/route.ts";
import { headerLengthName } from "./binary-tensors.ts";
import { readInferRequest } from "./infer-request.ts";
import { writeInferResponse } from "./infer-response.ts";

/** `infer` in JSON and binary form, with and without a version. */
export function inferRoutes(engine: InferenceEngine, { bodyLimit }: { bodyLimit: number }): Route[] {
  const modelOf = (request: Request): ServedModel => {
    const { model, version } = request.params as { model: string; version?: string };
    return engine.find(model, version);
  };

  // The model is looked up before the body is read: a wrong name needs no upload.
  const requireModel: RequestHandler = (request, _response, next) => {
    modelOf(request);
    next();
  };

  const infer = async (request: Request, response: Response): Promise<void> => {
    const { model, version } = request.params as { model: string; version?: string };
    const call = { model, version, headerLength: headerLengthOf(request), body: bytesOfBody(request) };
    const { headers, body } = await answerInfer(engine, { ...call, signal: new ClientGone(response) });
    response.writeHead(200, [...headers]).end(body);
  };

  const route = (path: string): Route => ({
    method: "POST",
    path,
    group: "protocol",
    access: "token",
    summary: "Run a model",
    description:
      "JSON, or the binary tensor extension: the HTTP header Inference-Header-Content-Length says how long the JSON part is, tensors follow it. 0: the whole body is the one input.",
    body: {
      required: true,
      content: { "application/json": inferRequestSchema, "application/octet-stream": "binary" },
    },
    answers: {
      200: {
        description: "The outputs, in the order asked for",
        content: { "application/json": inferResponseSchema, "application/octet-stream": "binary" },
      },
    },
    handle: [requireModel, requireTensors, rawBody(bodyLimit), infer],
  });
  return [route("/v2/models/{model}/infer"), route("/v2/models/{model}/versions/{version}/infer")];
}

export interface InferMessage {
  /** As the client calls it. */
  readonly model: string;
  readonly version: string | undefined;
  /** Value of Inference-Header-Content-Length; undefined: the body is JSON. */
  readonly headerLength: number | undefined;
  readonly body: Uint8Array;
  readonly signal: CancelSignal;
}

/** Reads a request, has it computed, and writes the answer in the form that was asked for. */
export async function answerInfer(
  engine: InferenceEngine,
  { model, version, headerLength, body, signal }: InferMessage,
): Promise<{ headers: HeaderList; body: Uint8Array }> {
  const served = engine.find(model, version);
  const to = { called: model, name: served.name, version: served.version };
  const call = readInferRequest(body, { headerLength, model: served.spec, to });
  const answer = await engine.infer({
    model: served.name,
    version: served.version,
    inputs: call.inputs,
    outputs: call.outputs.map((output) => output.name),
    priority: call.priority,
    timeoutMs: call.timeoutMs,
    signal,
  });
  const message = writeInferResponse(call, { model, version: answer.version, tensors: answer.outputs });
  if (typeof message === "string") {
    const bytes = Buffer.from(message);
    return {
      headers: ["Content-Type", "application/json; charset=utf-8", "Content-Length", String(bytes.length)],
      body: bytes,
    };
  }
  const { body: bytes, headerLength: jsonLength } = message;
  const headers = ["Content-Type", "application/octet-stream", "Content-Length", String(bytes.length)];
  headers.push("Inference-Header-Content-Length", String(jsonLength));
  return { headers, body: bytes };
}

/** JSON, or bytes with the header that says where they begin. */
const requireTensors: RequestHandler = (request, _response, next) => {
  checkTensorType(request);
  next();
};

/** @throws HttpError 415 for another type; UsageError for a header that is no number */
export function checkTensorType(request: IncomingMessage): void {
  const header = request.headers["content-type"];
  const binary = headerLengthOf(request) !== undefined && mediaType(header) === "application/octet-stream";
  if (header !== undefined && !binary && !isJson(header)) {
    const hint = "or application/octet-stream with the header Inference-Header-Content-Length";
    throw unsupported(header, `application/json in UTF-8, ${hint}`);
  }
}

export function headerLengthOf(request: IncomingMessage): number | undefined {
  const text = request.headers[headerLengthName];
  if (text === undefined) return undefined;
  if (typeof text === "string" && /^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(
    `Cannot read request: Inference-Header-Content-Length must be a whole number, got "${String(text).slice(0, 40)}"`,
    { code: "bad_header" },
  );
}
