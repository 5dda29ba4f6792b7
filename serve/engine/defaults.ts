import type { BatchingOptions, BundleOptions, RequestLimits } from "../../schemas/serve-config.ts";

/** Apart from what checks them, so that `cominfo --help` loads no validator. */

export const batchingDefaults: BatchingOptions = {
  maxBatchRows: 64,
  maxDelayMs: 0,
  preferredBatchRows: [],
  buckets: [],
  maxQueue: 1024,
  priorityLevels: 3,
  defaultPriority: 2,
  timeoutMs: 30_000,
};

/** Instances and threads come on top: they share the cores out (`options.ts`). */
export const bundleDefaults: Omit<BundleOptions, "instances" | "threads"> = {
  device: "cpu",
  // Workers keep all cores busy, and have work again only when the HTTP process gets one in time.
  niceness: 10,
  versions: { latest: 1 },
};

/**
 * Worker processes of a bundle on a CPU, where its cores allow it: while one computes a batch, the answers of the other's
 * are on their way. On two cores two workers of one thread answer a sixth more than one of two threads, whose halves of
 * an operator wait for each other. A GPU computes one batch at a time.
 */
export const cpuInstances = 2;

/** What is measured at once should be done within a client's patience; the rest goes to the background. */
export const limitDefaults: RequestLimits = { maxRows: 1024, maxPairs: 512, maxBackgroundPairs: 16_384 };
