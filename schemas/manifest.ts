import { type Static, Type } from "typebox";

/** Contract of `models/<bundle>/manifest.json`: everything a server, a page or a batch job needs to know of a model. */

const closed = { additionalProperties: false } as const;
const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });

export const tensorSpecSchema = Type.Object(
  {
    name: Type.String(),
    dtype: Type.Union([
      Type.Literal("float32"),
      Type.Literal("int32"),
      Type.Literal("uint8"),
      Type.Literal("bool"),
      Type.Literal("int64"),
    ]),
    shape: Type.Array(Type.Integer({ minimum: -1 }), { description: "-1 is the batch" }),
    description: Type.String(),
    unit: Type.Optional(Type.String()),
    // Type.Tuple writes the draft-7 form of "items", which is not valid in 2020-12
    range: Type.Optional(
      Type.Unsafe<[number, number]>(
        Type.Array(Type.Integer(), {
          minItems: 2,
          maxItems: 2,
          description:
            "of an input: smallest and largest value that means something, for instance the classes of a label",
        }),
      ),
    ),
    names: Type.Optional(Type.Array(Type.String(), { description: "names along the last axis" })),
  },
  closed,
);
export type TensorSpec = Static<typeof tensorSpecSchema>;

export const parityCaseSchema = Type.Object(
  {
    reference: Type.String({ description: "what the file was compared with, for instance `tfjs cpu, eager`" }),
    batch: Type.Integer({ minimum: 1 }),
    maxRelativeError: Type.Number({
      minimum: 0,
      description: "largest |difference| over the largest |reference| of each output",
    }),
  },
  closed,
);

const taskVersion = {
  description: Type.String(),
  version: Type.String({ pattern: "^[1-9][0-9]*$" }),
  file: Type.String({ description: "relative to the bundle, <task>/<version>/model.onnx" }),
  sha256,
  bytes: Type.Integer({ minimum: 1 }),
  opset: Type.Integer(),
  inputs: Type.Array(tensorSpecSchema),
  outputs: Type.Array(tensorSpecSchema),
  parity: Type.Array(parityCaseSchema),
};
const taskVersionSchema = Type.Object(taskVersion, closed);
export type TaskVersion = Static<typeof taskVersionSchema>;

export const taskSchema = Type.Object(
  {
    ...taskVersion,
    earlier: Type.Optional(
      Type.Array(taskVersionSchema, { description: "versions that the bundle still holds, the newest first" }),
    ),
  },
  closed,
);
export type TaskManifest = Static<typeof taskSchema>;

export const figureSchema = Type.Object(
  {
    quantity: Type.String(),
    unit: Type.String(),
    value: Type.Number(),
    estimator: Type.String(),
    n: Type.Integer({ minimum: 1 }),
    seed: Type.Integer(),
    // Type.Tuple writes the draft-7 form of "items", which is not valid in 2020-12
    interval: Type.Optional(Type.Unsafe<[number, number]>(Type.Array(Type.Number(), { minItems: 2, maxItems: 2 }))),
    paper: Type.Optional(Type.Number()),
    minimum: Type.Optional(Type.Number()),
    maximum: Type.Optional(Type.Number()),
    met: Type.Optional(Type.Boolean()),
  },
  closed,
);
export type Figure = Static<typeof figureSchema>;

/** What a model was trained on. */
export const dataSchema = Type.Object(
  {
    name: Type.String(),
    summary: Type.String(),
    factors: Type.Array(
      Type.Object(
        {
          name: Type.String(),
          size: Type.Integer({ minimum: 1 }),
          role: Type.Union([Type.Literal("common"), Type.Literal("unique"), Type.Literal("single")]),
        },
        closed,
      ),
    ),
    commonInformationBits: Type.Optional(
      Type.Number({ description: "exact Gács-Körner common information of a pair" }),
    ),
    mutualInformationBits: Type.Optional(
      Type.Number({ description: "exact; equal to it where all unique factors are independent" }),
    ),
    provenance: Type.Record(Type.String(), Type.String()),
  },
  closed,
);

export const manifestSchema = Type.Object(
  {
    format: Type.Literal(1),
    name: Type.String({ pattern: "^[a-z0-9][a-z0-9-]*$" }),
    title: Type.String(),
    family: Type.String(),
    recipe: Type.String(),
    seed: Type.Integer(),
    steps: Type.Integer(),
    parameters: Type.Integer({ description: "trained parameters" }),
    created: Type.String({ description: "ISO 8601, UTC" }),
    producer: Type.String({ description: "cominfo and its version" }),
    data: dataSchema,
    latents: Type.Array(Type.Object({ name: Type.String(), dimensions: Type.Array(Type.String()) }, closed)),
    tasks: Type.Record(Type.String(), taskSchema),
    evaluation: Type.Array(figureSchema),
    samples: Type.Optional(
      Type.Object(
        { file: Type.String({ description: "gzip-compressed safetensors" }), pairs: Type.Integer({ minimum: 1 }) },
        { ...closed, description: "pairs to play with: view_1, view_2, label_1/<factor>, label_2/<factor>" },
      ),
    ),
    files: Type.Record(Type.String(), sha256, { description: "sha256 of every other file of the bundle" }),
  },
  { ...closed, $id: "manifest" },
);
export type Manifest = Static<typeof manifestSchema>;
