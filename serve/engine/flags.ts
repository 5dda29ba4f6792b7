import { type Command, Option } from "commander";
import { batchingDefaults } from "./defaults.ts";

/** Flags of `cominfo serve` that say how models are run. A configuration file says the same, and more, model by model. */
export interface EngineFlags {
  readonly config?: string;
  readonly device?: string;
  readonly instances?: string;
  readonly threads?: string;
  readonly maxBatch?: string;
  readonly batchDelay?: string;
  readonly maxQueue?: string;
  readonly timeout?: string;
  readonly versions?: string;
  readonly poll: string;
}

export const configHelp = `
A configuration file (--config) is JSON. Options at the top are for all models, flags stand above them;
"bundles" and "models" hold those of single ones:
  {
    "maxBatchRows": 64, "maxDelayMs": 2, "preferredBatchRows": [32], "timeoutMs": 1000, "priorityLevels": 3,
    "limits": { "maxPairs": 512, "maxBackgroundPairs": 16384 },
    "bundles": { "rotated-mnist": { "instances": 2, "threads": 1, "versions": { "latest": 2 } } },
    "models": { "rotated-mnist.decode": { "maxBatchRows": 16, "buckets": [1, 2, 4, 8, 16] } }
  }
All keys, with their meaning: schemas/serve-config.ts
`;

export function addEngineFlags(command: Command): Command {
  const { maxBatchRows, maxDelayMs, maxQueue, timeoutMs } = batchingDefaults;
  return command
    .option("--config <file>", "options of all and of single models, JSON")
    .addOption(new Option("--device <name>", "default: cpu").choices(["auto", "cpu", "webgpu", "cuda"]))
    .option("--instances <number>", "worker processes of each bundle (default: 2 on a CPU of several cores, else 1)")
    .option("--threads <number>", "threads of a worker inside an operator (default: the cores, shared out)")
    .option(
      "--max-batch <rows>",
      `rows computed together, and in one request (default: ${maxBatchRows}; 1: no batching)`,
    )
    .option("--batch-delay <ms>", `how long a request waits for others to join it (default: ${maxDelayMs})`)
    .option("--max-queue <requests>", `requests of a model that may wait; more get 429 (default: ${maxQueue})`)
    .option("--timeout <ms>", `of requests that name none: 504 after it; 0: never (default: ${timeoutMs})`)
    .option("--versions <policy>", "all, the number of newest ones, or names like v3,v5 (default: 1, the newest)")
    .option("--poll <seconds>", "look for new, changed and removed bundles this often; 0: never", "0")
    .addHelpText("after", configHelp);
}
