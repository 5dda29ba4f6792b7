import type { Command } from "commander";
import { whole } from "./command.ts";

/** Adds `cominfo worker`. */
export function addWorkerCommand(program: Command): void {
  program
    .command("worker")
    .description("computes shards that `cominfo score --queue` has planned")
    .option("--queue <url>", "Redis", "redis://127.0.0.1:6379")
    .option("--threads <number>", "threads inside an operator (default: all cores)")
    .option("--lost-after <seconds>", "a worker that is silent for so long loses its shard to another", "30")
    .option("--until-idle", "end when the queue is empty")
    .addHelpText(
      "after",
      `
The input, the bundle and --out must be at the same paths here as where the run was planned (a shared disk). Whoever can
write to the queue decides which files are read and written: keep Redis private.

Example:
  $ cominfo worker --queue redis://10.0.0.5:6379 --threads 4
`,
    )
    .action(async (flags: { queue: string; threads?: string; lostAfter: string; untilIdle?: true }) => {
      const { runWorker } = await import("./queue-worker.ts");
      const stop = new AbortController();
      process.once("SIGINT", () => stop.abort());
      process.once("SIGTERM", () => stop.abort());
      await runWorker({
        url: flags.queue,
        threads: flags.threads === undefined ? undefined : whole("--threads", flags.threads, 1),
        lostAfter: whole("--lost-after", flags.lostAfter, 1),
        untilIdle: flags.untilIdle ?? false,
        signal: stop.signal,
        log: (line) => console.error(line),
      });
    });
}
