import type { Command } from "commander";
import { UsageError } from "../schemas/errors.ts";

interface ServeFlags {
  readonly port: string;
  readonly host: string;
  readonly device: string;
  readonly threads?: string;
  readonly bodyLimit: string;
}

/** Adds `cominfo serve`. */
export function addServeCommand(program: Command): void {
  program
    .command("serve")
    .description("serve bundles over HTTP (Open Inference Protocol v2)")
    .argument("[folder]", "a bundle, or a folder of bundles", "models")
    .option("--port <number>", "0 picks a free one", "8080")
    .option("--host <address>", "0.0.0.0 opens it to the network", "127.0.0.1")
    .option("--device <name>", "cpu, webgpu or cuda", "cpu")
    .option("--threads <number>", "threads inside an operator (default: all cores)")
    .option("--body-limit <MiB>", "largest request body", "32")
    .action(async (folder: string, flags: ServeFlags) => {
      const { parseDevice } = await import("../runtime/devices.ts");
      const { runServer } = await import("./run-server.ts");
      await runServer({
        repository: folder,
        port: integer("port", flags.port, { minimum: 0, maximum: 65535 }),
        host: flags.host,
        device: parseDevice(flags.device),
        bodyLimit: integer("body-limit", flags.bodyLimit, { minimum: 1, maximum: 1024 }) * 2 ** 20,
        ...(flags.threads === undefined
          ? {}
          : { threads: integer("threads", flags.threads, { minimum: 1, maximum: 1024 }) }),
      });
    });
}

function integer(name: string, text: string, { minimum, maximum }: { minimum: number; maximum: number }): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new UsageError(`Cannot serve: --${name} must be an integer from ${minimum} to ${maximum}, got "${text}"`);
}
