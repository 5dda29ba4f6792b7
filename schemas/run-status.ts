import { type Static, Type } from "typebox";

/** Contracts of a run folder: `run.json` and the lines of `metrics.jsonl`. */

const closed = { additionalProperties: false } as const;

export const runStatusSchema = Type.Object(
  {
    format: Type.Literal(1),
    status: Type.Union([
      Type.Literal("running"),
      Type.Literal("finished"),
      Type.Literal("interrupted"),
      Type.Literal("failed"),
    ]),
    step: Type.Integer({ minimum: 0 }),
    steps: Type.Integer({ minimum: 1 }),
    seconds: Type.Number({ minimum: 0, description: "training time over all sessions" }),
    engine: Type.String(),
    device: Type.String(),
    error: Type.Optional(Type.String()),
  },
  { ...closed, $id: "run-status" },
);
export type RunStatus = Static<typeof runStatusSchema>;

export const metricsLineSchema = Type.Object(
  {
    step: Type.Integer({ minimum: 1 }),
    phase: Type.String(),
    terms: Type.Record(Type.String(), Type.Number(), { description: "of this step alone; nats per example" }),
    seconds: Type.Number({ minimum: 0, description: "training time so far, over all sessions" }),
    examplesPerSecond: Type.Number({ minimum: 0, description: "pairs a second since the line before" }),
  },
  { ...closed, $id: "metrics-line" },
);
export type MetricsLine = Static<typeof metricsLineSchema>;
