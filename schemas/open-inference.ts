import { type Static, type TSchema, Type } from "typebox";
import type { Dtype } from "./tensor.ts";

/**
 * HTTP bodies of the Open Inference Protocol, version 2, its binary tensor extension, and Triton's repository and
 * statistics extensions.
 * Source: kserve/open-inference-protocol, `specification/protocol/inference_rest.md`; triton-inference-server/server,
 * `docs/protocol/extension_{binary_data,schedule_policy,model_configuration,model_repository,statistics}.md`
 *
 * A schema with a title is one component of the OpenAPI document.
 */

const closed = { additionalProperties: false } as const;
const parametersSchema = Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean()]), {
  description:
    "request: priority (1 is served first, 0 the default), timeout (microseconds), binary_data_output; input: binary_data_size; output: binary_data. Others are ignored",
});
const parameters = Type.Optional(parametersSchema);
export type Parameters = Static<typeof parametersSchema>;

/** Of a request: clients that write every field they know of say null for the ones they were not given. */
const orNull = <S extends TSchema>(schema: S, options: { description?: string } = {}) =>
  Type.Optional(Type.Union([schema, Type.Null()], options));

export const datatypeSchema = Type.Enum(["FP32", "INT32", "INT64", "UINT8", "BOOL"]);
export type Datatype = Static<typeof datatypeSchema>;

/** The protocol's name of each element type that a bundle can have. */
export const datatypeOf = {
  float32: "FP32",
  int32: "INT32",
  int64: "INT64",
  uint8: "UINT8",
  bool: "BOOL",
} as const satisfies Record<Dtype, Datatype>;

export const inferInputSchema = Type.Object(
  {
    name: Type.String(),
    shape: Type.Array(Type.Integer({ minimum: 1 })),
    datatype: Type.String(),
    parameters: orNull(parametersSchema),
    data: orNull(Type.Array(Type.Unknown()), {
      description: "row-major, flat or nested like `shape`; left out where parameters say binary_data_size",
    }),
  },
  { ...closed, title: "InferInput" },
);
export type InferInput = Static<typeof inferInputSchema>;

export const inferRequestSchema = Type.Object(
  {
    id: orNull(Type.String(), { description: "comes back in the answer" }),
    // Not in the protocol; KServe's own client writes them (kserve, `InferRequest.to_rest`).
    model_name: orNull(Type.String(), { description: "must be the model of the path" }),
    model_version: orNull(Type.String(), { description: "must be the version that the path leads to; empty: any" }),
    parameters: orNull(parametersSchema),
    inputs: Type.Array(inferInputSchema),
    outputs: orNull(Type.Array(Type.Object({ name: Type.String(), parameters: orNull(parametersSchema) }, closed)), {
      description: "left out or empty: all outputs of the model",
    }),
  },
  { ...closed, title: "InferRequest" },
);
export type InferRequest = Static<typeof inferRequestSchema>;

export const inferOutputSchema = Type.Object(
  {
    name: Type.String(),
    shape: Type.Array(Type.Integer()),
    datatype: datatypeSchema,
    parameters,
    data: Type.Optional(
      Type.Array(Type.Union([Type.Number(), Type.Boolean(), Type.String()]), {
        description: "row-major and flat; an INT64 beyond 2^53 is a decimal string",
      }),
    ),
  },
  { ...closed, title: "InferOutput" },
);
export type InferOutput = Static<typeof inferOutputSchema>;

export const inferResponseSchema = Type.Object(
  {
    model_name: Type.String(),
    model_version: Type.String(),
    id: Type.Optional(Type.String()),
    parameters,
    outputs: Type.Array(inferOutputSchema),
  },
  { ...closed, title: "InferResponse" },
);
export type InferResponse = Static<typeof inferResponseSchema>;

export const serverMetadataSchema = Type.Object(
  { name: Type.String(), version: Type.String(), extensions: Type.Array(Type.String()) },
  { ...closed, title: "ServerMetadata" },
);

export const liveSchema = Type.Object({ live: Type.Boolean() }, { ...closed, title: "Live" });
export const readySchema = Type.Object({ ready: Type.Boolean() }, { ...closed, title: "Ready" });
export const modelReadySchema = Type.Object(
  { name: Type.String(), ready: Type.Boolean() },
  { ...closed, title: "ModelReady" },
);

export const tensorMetadataSchema = Type.Object(
  { name: Type.String(), datatype: datatypeSchema, shape: Type.Array(Type.Integer({ description: "-1: the batch" })) },
  { ...closed, title: "TensorMetadata" },
);

export const modelMetadataSchema = Type.Object(
  {
    name: Type.String(),
    versions: Type.Array(Type.String()),
    platform: Type.Literal("onnx_onnxv1"),
    inputs: Type.Array(tensorMetadataSchema),
    outputs: Type.Array(tensorMetadataSchema),
    properties: Type.Record(Type.String(), Type.String()),
  },
  { ...closed, title: "ModelMetadata" },
);
export type ModelMetadata = Static<typeof modelMetadataSchema>;

const configTensor = Type.Object(
  {
    name: Type.String(),
    data_type: Type.Enum(["TYPE_FP32", "TYPE_INT32", "TYPE_INT64", "TYPE_UINT8", "TYPE_BOOL"]),
    dims: Type.Array(Type.Integer({ description: "without the batch where max_batch_size is not 0" })),
  },
  closed,
);

/** Triton's model configuration extension: the part of `model_config.proto` that means something here. */
export const modelConfigSchema = Type.Object(
  {
    name: Type.String(),
    platform: Type.Literal("onnxruntime_onnx"),
    backend: Type.Literal("onnxruntime"),
    max_batch_size: Type.Integer({ minimum: 0, description: "0: requests are not put together" }),
    input: Type.Array(configTensor),
    output: Type.Array(configTensor),
    instance_group: Type.Array(
      Type.Object({ kind: Type.Enum(["KIND_CPU", "KIND_GPU"]), count: Type.Integer({ minimum: 1 }) }, closed),
    ),
    dynamic_batching: Type.Object(
      {
        preferred_batch_size: Type.Array(Type.Integer({ minimum: 1 })),
        max_queue_delay_microseconds: Type.Integer({ minimum: 0 }),
        priority_levels: Type.Integer({ minimum: 1 }),
        default_priority_level: Type.Integer({ minimum: 1 }),
        default_queue_policy: Type.Object(
          {
            timeout_action: Type.Literal("REJECT"),
            default_timeout_microseconds: Type.Integer({ minimum: 0, description: "0: none" }),
            allow_timeout_override: Type.Boolean(),
            max_queue_size: Type.Integer({ minimum: 1 }),
          },
          closed,
        ),
      },
      closed,
    ),
  },
  { ...closed, title: "ModelConfig" },
);
export type ModelConfig = Static<typeof modelConfigSchema>;

export const repositoryIndexRequestSchema = Type.Object(
  { ready: Type.Optional(Type.Boolean({ description: "list only models that are ready" })) },
  { ...closed, title: "RepositoryIndexRequest" },
);

export const repositoryIndexSchema = Type.Array(
  Type.Object(
    {
      name: Type.String(),
      version: Type.String(),
      state: Type.Enum(["LOADING", "READY", "UNLOADING", "UNAVAILABLE"]),
      reason: Type.String({ description: "why it is not ready" }),
    },
    closed,
  ),
  { title: "RepositoryIndex" },
);
export type RepositoryIndex = Static<typeof repositoryIndexSchema>;

export const repositoryChangeSchema = Type.Object({ parameters }, { ...closed, title: "RepositoryChange" });

const duration = Type.Object(
  { count: Type.Integer({ minimum: 0 }), ns: Type.Integer({ minimum: 0, description: "in all, nanoseconds" }) },
  { ...closed, title: "Duration" },
);

export const statisticsSchema = Type.Object(
  {
    model_stats: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          version: Type.String(),
          last_inference: Type.Integer({ description: "milliseconds since 1970, 0 before the first" }),
          inference_count: Type.Integer({ description: "rows answered" }),
          execution_count: Type.Integer({
            description: "batches run: inference_count by execution_count is the mean batch",
          }),
          inference_stats: Type.Object(
            {
              success: duration,
              fail: duration,
              queue: duration,
              compute_input: duration,
              compute_infer: duration,
              compute_output: duration,
              cache_hit: duration,
              cache_miss: duration,
            },
            closed,
          ),
          batch_stats: Type.Array(
            Type.Object(
              {
                batch_size: Type.Integer({ minimum: 1 }),
                compute_input: duration,
                compute_infer: duration,
                compute_output: duration,
              },
              closed,
            ),
          ),
        },
        closed,
      ),
    ),
  },
  { ...closed, title: "Statistics" },
);
export type Statistics = Static<typeof statisticsSchema>;

export const errorBodySchema = Type.Object(
  {
    error: Type.String({ description: "what could not be done, what was wanted, what there was instead" }),
    code: Type.String({ description: "for programs: does not change with the wording" }),
    path: Type.Array(Type.Union([Type.String(), Type.Integer()]), {
      description: "leads to the fault inside the request's body",
    }),
  },
  { ...closed, title: "Error" },
);
export type ErrorBody = Static<typeof errorBodySchema>;
