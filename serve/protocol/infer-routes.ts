import type { Request, RequestHandler, Response } from "express";
import { UsageError } from "../../schemas/errors.ts";
import { inferRequestSchema, inferResponseSchema } from "../../schemas/open-inference.ts";
import type { InferenceEngine, ServedModel } from "../engine/inference-engine.ts";
import { bytesOfBody, isJson, mediaType, rawBody, unsupported } from "../http/body.ts";
import { whenClientGoes } from "../http/client-gone.ts";
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
    const { name, version, spec } = modelOf(request);
    const { outputs, priority, timeoutMs, ...call } = readInferRequest(bytesOfBody(request), {
      headerLength: headerLengthOf(request),
      model: spec,
    });
    const answer = await engine.infer({
      model: name,
      version,
      inputs: call.inputs,
      outputs: outputs.map((output) => output.name),
      ...(priority === undefined ? {} : { priority }),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      signal: whenClientGoes(response),
    });
    const message = writeInferResponse(
      { ...call, outputs },
      { model: String(request.params.model), version: answer.version, tensors: answer.outputs },
    );
    if (typeof message === "string") {
      response.type("json").send(message);
      return;
    }
    response.set({
      "Content-Type": "application/octet-stream",
      "Inference-Header-Content-Length": String(message.headerLength),
    });
    response.send(Buffer.from(message.body.buffer, message.body.byteOffset, message.body.byteLength));
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

/** JSON, or bytes with the header that says where they begin. */
const requireTensors: RequestHandler = (request, _response, next) => {
  const header = request.headers["content-type"];
  const binary = headerLengthOf(request) !== undefined && mediaType(header) === "application/octet-stream";
  if (header !== undefined && !binary && !isJson(header)) {
    const hint = "or application/octet-stream with the header Inference-Header-Content-Length";
    throw unsupported(header, `application/json in UTF-8, ${hint}`);
  }
  next();
};

function headerLengthOf(request: Request): number | undefined {
  const text = request.headers[headerLengthName];
  if (text === undefined) return undefined;
  if (typeof text === "string" && /^\d{1,15}$/.test(text)) return Number(text);
  throw new UsageError(
    `Cannot read request: Inference-Header-Content-Length must be a whole number, got "${String(text).slice(0, 40)}"`,
    { code: "bad_header" },
  );
}
