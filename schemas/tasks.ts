import { type Static, Type } from "typebox";

/** HTTP bodies of the task routes `POST /v1/{bundle}/...`: the same for every family of models. */

const closed = { additionalProperties: false } as const;

export const seedSchema = Type.Integer({
  minimum: 0,
  maximum: Number.MAX_SAFE_INTEGER,
  description: "of everything that is drawn; left out: the server chooses one and says it in the answer",
});
const inputs = Type.Record(Type.String(), Type.Unknown(), {
  default: {},
  description:
    "by name, as GET /v2/models/{bundle}.{task} lists them: numbers, nested like the shape with or without the batch; an image also as a PNG in base64, or an array of them. What the task draws (noise_...) is drawn from the seed unless given",
});
const version = Type.Optional(Type.String({ pattern: "^[1-9][0-9]{0,8}$", description: "left out: the newest" }));
const variant = Type.Optional(
  Type.String({
    maxLength: 100,
    description: "which of several tasks that take these inputs: 1to2 of conditional_1to2, 1 of style_transfer_1",
  }),
);
const outputs = Type.Optional(
  Type.Array(Type.String(), { minItems: 1, description: "names; left out: all the task has" }),
);
const images = Type.Enum(["numbers", "png"], {
  default: "numbers",
  description: "how the answer holds images: nested numbers from 0 to 1, or a PNG in base64 for each row",
});

export const taskRequestSchema = Type.Object(
  {
    inputs,
    variant,
    seed: Type.Optional(seedSchema),
    samples: Type.Integer({
      minimum: 1,
      maximum: 1024,
      default: 1,
      description: "draws for each row that is given; of a task without inputs: rows",
    }),
    outputs,
    images,
    version,
  },
  { ...closed, title: "TaskRequest" },
);
export type TaskRequest = Static<typeof taskRequestSchema>;

export const taskResponseSchema = Type.Object(
  {
    bundle: Type.String(),
    task: Type.String(),
    version: Type.String(),
    rows: Type.Integer({ minimum: 1 }),
    seed: Type.Optional(
      Type.Integer({ description: "where something was drawn: the same seed gives the same answer" }),
    ),
    outputs: Type.Record(
      Type.String(),
      Type.Object(
        {
          description: Type.String(),
          unit: Type.Optional(Type.String()),
          shape: Type.Array(Type.Integer()),
          names: Type.Optional(Type.Array(Type.String(), { description: "along the last axis" })),
          data: Type.Optional(Type.Array(Type.Unknown(), { description: "nested like shape" })),
          png: Type.Optional(Type.Array(Type.String(), { description: "base64, one a row" })),
        },
        closed,
      ),
    ),
  },
  { ...closed, title: "TaskResponse" },
);
export type TaskResponse = Static<typeof taskResponseSchema>;

export const traverseRequestSchema = Type.Object(
  {
    inputs,
    dimension: Type.String({
      description: "a latent dimension by name, for instance common_0, as the manifest lists them",
    }),
    from: Type.Number({ minimum: -1e6, maximum: 1e6, default: -2, description: "first value" }),
    to: Type.Number({ minimum: -1e6, maximum: 1e6, default: 2, description: "last value" }),
    steps: Type.Integer({ minimum: 2, maximum: 128, default: 9, description: "values, both ends among them" }),
    outputs,
    images,
    version,
  },
  { ...closed, title: "TraverseRequest" },
);
export type TraverseRequest = Static<typeof traverseRequestSchema>;

export const traverseResponseSchema = Type.Object(
  {
    ...taskResponseSchema.properties,
    dimension: Type.String(),
    values: Type.Array(Type.Number(), { description: "of the dimension, one a row" }),
    code: Type.Record(Type.String(), Type.Array(Type.Number()), {
      description: "where the walk starts from: what the views tell, and 0 for what none tells",
    }),
  },
  { ...closed, title: "TraverseResponse" },
);
export type TraverseResponse = Static<typeof traverseResponseSchema>;
