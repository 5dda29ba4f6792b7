import { type Static, Type } from "typebox";

/**
 * Contract of `plan.json` in the folder of an unfinished run: all that a shard, a queue's worker or a later `--resume`
 * must agree on, so that every part is the same whoever makes it.
 */

const closed = { additionalProperties: false } as const;
const sha256 = Type.String({ pattern: "^[0-9a-f]{64}$" });

export const scoreMappingSchema = Type.Object(
  {
    id: Type.Optional(Type.String({ description: "column that names the rows, in every source" })),
    inputs: Type.Record(Type.String(), Type.Union([Type.String(), Type.Array(Type.String(), { minItems: 1 })]), {
      description: "input of the task: its column, `SOURCE:COLUMN`, a pattern with *, or a list of columns",
      default: {},
    }),
  },
  { ...closed, $id: "score-mapping" },
);
export type ScoreMapping = Static<typeof scoreMappingSchema>;

export const scoreFormats = ["parquet", "arrow", "npz", "jsonl", "png"] as const;
export type ScoreFormat = (typeof scoreFormats)[number];

const sourceSchema = Type.Object(
  {
    name: Type.Optional(Type.String()),
    path: Type.String({ description: "absolute" }),
    bytes: Type.Integer({ minimum: 0 }),
    sample: Type.String({
      description: "SHA-256 of the size and of 64 pieces of the file: tells changes apart without reading all",
      pattern: "^[0-9a-f]{64}$",
    }),
  },
  closed,
);
export type ScoreSource = Static<typeof sourceSchema>;

const columnsSchema = Type.Object(
  { source: Type.Integer({ minimum: 0 }), columns: Type.Array(Type.String(), { minItems: 1 }) },
  closed,
);
export type MappedColumns = Static<typeof columnsSchema>;

export const scorePlanSchema = Type.Object(
  {
    format: Type.Literal(1),
    bundle: Type.String({ description: "absolute path of its folder" }),
    model: Type.String(),
    task: Type.String(),
    tasks: Type.Record(Type.String(), sha256, {
      description: "the task and those that stand in for it, by model file",
    }),
    sources: Type.Array(sourceSchema, { minItems: 1 }),
    id: Type.Optional(Type.String()),
    inputs: Type.Record(Type.String(), columnsSchema),
    rows: Type.Integer({ minimum: 0 }),
    partRows: Type.Integer({ minimum: 1 }),
    batch: Type.Integer({ minimum: 1 }),
    seed: Type.Integer({ minimum: 0 }),
    partial: Type.Boolean(),
    resize: Type.Boolean(),
    device: Type.Union([Type.Literal("cpu"), Type.Literal("webgpu"), Type.Literal("cuda")]),
    output: Type.Unsafe<ScoreFormat>({ type: "string", enum: [...scoreFormats] }),
  },
  { ...closed, $id: "score-plan" },
);
export type ScorePlan = Static<typeof scorePlanSchema>;
