import { type Static, Type } from "typebox";
import type { Dtype } from "./tensor.ts";

/**
 * HTTP bodies of the Open Inference Protocol, version 2, in JSON form.
 * Source: kserve/open-inference-protocol, `specification/protocol/inference_rest.md`
 */

const closed = { additionalProperties: false } as const;
const parameters = Type.Optional(
  Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()])),
);

export const inferInputSchema = Type.Object(
  {
    name: Type.String(),
    shape: Type.Array(Type.Integer({ minimum: 1 })),
    datatype: Type.String(),
    parameters,
    data: Type.Array(Type.Unknown(), {
      description: "row-major, flat or nested like `shape`; checked by hand, for speed",
    }),
  },
  closed,
);
export type InferInput = Static<typeof inferInputSchema>;

export const inferRequestSchema = Type.Object(
  {
    id: Type.Optional(Type.String()),
    parameters,
    inputs: Type.Array(inferInputSchema),
    outputs: Type.Optional(Type.Array(Type.Object({ name: Type.String(), parameters }, closed), { minItems: 1 })),
  },
  { ...closed, $id: "infer-request" },
);
export type InferRequest = Static<typeof inferRequestSchema>;

export const repositoryIndexRequestSchema = Type.Object(
  { ready: Type.Optional(Type.Boolean({ description: "list only models that are ready" })) },
  { ...closed, $id: "repository-index-request" },
);

export interface InferOutput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: Datatype;
  readonly data: readonly (number | boolean | string)[];
}

export interface InferResponse {
  readonly model_name: string;
  readonly model_version: string;
  readonly id?: string;
  readonly outputs: readonly InferOutput[];
}

export interface TensorMetadata {
  readonly name: string;
  readonly datatype: Datatype;
  readonly shape: readonly number[];
}

export interface ModelMetadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: "onnx_onnxv1";
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly properties: Readonly<Record<string, string>>;
}

/** One row of the answer to `POST /v2/repository/index`, as Triton gives it. */
export interface RepositoryIndexEntry {
  readonly name: string;
  readonly version: string;
  readonly state: "READY" | "UNAVAILABLE";
  readonly reason: string;
}

/** Body of every error answer. `path` leads to the fault inside the request's body. */
export interface ErrorBody {
  readonly error: string;
  readonly code: string;
  readonly path: readonly (string | number)[];
}

export type Datatype = "FP32" | "INT32" | "INT64" | "UINT8" | "BOOL";

/** The protocol's name of each element type that a bundle can have. */
export const datatypeOf = {
  float32: "FP32",
  int32: "INT32",
  int64: "INT64",
  uint8: "UINT8",
  bool: "BOOL",
} as const satisfies Record<Dtype, Datatype>;
