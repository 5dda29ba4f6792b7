import { type Static, Type } from "typebox";

/** Contract of `cominfo serve --config FILE`: how models are batched, queued and run. Flags say the same for all models. */

const closed = { additionalProperties: false } as const;

/** Options of a model, and of all models where they stand at the top. */
const batchingProperties = {
  maxBatchRows: Type.Integer({
    minimum: 1,
    maximum: 4096,
    description: "rows that are computed together, and that one request may carry",
  }),
  maxDelayMs: Type.Number({
    minimum: 0,
    maximum: 60_000,
    description: "how long a request may be held for others to join it, ms; 0: a free worker takes what is there",
  }),
  preferredBatchRows: Type.Array(Type.Integer({ minimum: 1, maximum: 4096 }), {
    description: "sizes at which a batch is not held any longer",
  }),
  buckets: Type.Array(Type.Integer({ minimum: 1, maximum: 4096 }), {
    description: "sizes to which batches are filled up with zeros: fewer shapes to compile for; empty: none",
  }),
  maxQueue: Type.Integer({ minimum: 1, maximum: 1_000_000, description: "requests that may wait; more get 429" }),
  priorityLevels: Type.Integer({ minimum: 1, maximum: 100, description: "1 is served first" }),
  defaultPriority: Type.Integer({ minimum: 1, maximum: 100, description: "of requests that name none" }),
  timeoutMs: Type.Number({
    minimum: 0,
    maximum: 3_600_000,
    description: "of requests that name none: 504 after so many ms; 0: never",
  }),
};

/** Options of a bundle's worker processes. */
const workerProperties = {
  device: Type.Union([Type.Literal("auto"), Type.Literal("cpu"), Type.Literal("webgpu"), Type.Literal("cuda")], {
    description: "auto: the first of cuda, webgpu and cpu that starts",
  }),
  instances: Type.Integer({ minimum: 1, maximum: 64, description: "worker processes of each bundle" }),
  threads: Type.Integer({ minimum: 1, maximum: 1024, description: "of each worker, inside an operator" }),
  niceness: Type.Integer({
    minimum: 0,
    maximum: 19,
    description: "how far workers stand back behind the HTTP process, as of nice(1); 0: they do not",
  }),
};

/** As Triton's version policy. */
export const versionPolicySchema = Type.Union(
  [
    Type.Literal("all"),
    Type.Object({ latest: Type.Integer({ minimum: 1 }) }, closed),
    Type.Object({ specific: Type.Array(Type.String({ pattern: "^[1-9][0-9]*$" }), { minItems: 1 }) }, closed),
  ],
  { description: "which versions of a task are served: all, the highest n, or those named" },
);
export type VersionPolicy = Static<typeof versionPolicySchema>;

/** What one request of a task route may ask for. */
const limitProperties = {
  maxRows: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: "rows times samples that a task route answers at once",
  }),
  maxPairs: Type.Integer({
    minimum: 1,
    maximum: 1_000_000,
    description: "pairs that common-information and redundant-information measure at once",
  }),
  maxBackgroundPairs: Type.Integer({
    minimum: 1,
    maximum: 100_000_000,
    description: "pairs that an estimate in the background measures",
  }),
};

const batchingSchema = Type.Object(batchingProperties);
const limitsSchema = Type.Object(limitProperties);
const bundleSchema = Type.Object({ ...workerProperties, versions: versionPolicySchema });

export const serveConfigSchema = Type.Object(
  {
    ...Type.Partial(batchingSchema).properties,
    ...Type.Partial(bundleSchema).properties,
    limits: Type.Optional(Type.Object(Type.Partial(limitsSchema).properties, closed)),
    bundles: Type.Optional(
      Type.Record(Type.String(), Type.Object(Type.Partial(bundleSchema).properties, closed), {
        description: "options of single bundles, by name",
      }),
    ),
    models: Type.Optional(
      Type.Record(Type.String(), Type.Object(Type.Partial(batchingSchema).properties, closed), {
        description: "options of single models, by `<bundle>.<task>`",
      }),
    ),
  },
  { ...closed, $id: "serve-config" },
);
export type ServeConfig = Static<typeof serveConfigSchema>;
export type BatchingOptions = Readonly<Static<typeof batchingSchema>>;
export type RequestLimits = Readonly<Static<typeof limitsSchema>>;
export type BundleOptions = Readonly<Static<typeof bundleSchema>>;
