import type { BatchingOptions, BundleOptions } from "../../schemas/serve-config.ts";

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
