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

/** Threads come on top: the cores, shared out among the instances. */
export const bundleDefaults: Omit<BundleOptions, "threads"> = {
  device: "cpu",
  instances: 1,
  versions: { latest: 1 },
};

/** What is measured at once should be done within a client's patience; the rest goes to the background. */
export const limitDefaults: RequestLimits = { maxRows: 1024, maxPairs: 512, maxBackgroundPairs: 16_384 };
