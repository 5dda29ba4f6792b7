import type { Command } from "commander";
import { UsageError } from "../schemas/errors.ts";
import { addEdgeFlags, type EdgeFlags } from "./edge/flags.ts";
import { addEngineFlags, type EngineFlags } from "./engine/flags.ts";

interface ServeFlags extends EngineFlags, EdgeFlags {
  readonly port: string;
  readonly host: string;
  readonly bodyLimit: string;
}

const examples = `
Examples:
  $ cominfo serve
  $ cominfo serve models/rotated-mnist --port 0
  $ cominfo serve models --config serve.json --poll 30
  $ COMINFO_TOKEN=secret cominfo serve models --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem
`;

/** Adds `cominfo serve`. */
export function addServeCommand(program: Command): void {
  const command = program
    .command("serve")
    .description("serve bundles over HTTP (Open Inference Protocol v2)")
    .argument("[folder]", "a bundle, or a folder of bundles", "models")
    .option("--port <number>", "0 picks a free one", "8080")
    .option("--host <address>", "0.0.0.0 opens it to the network", "127.0.0.1")
    .option("--body-limit <MiB>", "largest request body", "32")
    .addHelpText("after", examples);
  addEdgeFlags(addEngineFlags(command)).action(async (folder: string, flags: ServeFlags) => {
    const { configOf, pollMsOf } = await import("./engine/read-flags.ts");
    const { edgeOf } = await import("./edge/read-flags.ts");
    const { runServer } = await import("./run-server.ts");
    await runServer({
      repository: folder,
      port: integer("port", flags.port, { minimum: 0, maximum: 65535 }),
      host: flags.host,
      ...(await edgeOf(flags)),
      estimates: flags.estimates,
      config: configOf(flags),
      pollMs: pollMsOf(flags),
      bodyLimit: integer("body-limit", flags.bodyLimit, { minimum: 1, maximum: 1024 }) * 2 ** 20,
    });
  });
}

function integer(name: string, text: string, { minimum, maximum }: { minimum: number; maximum: number }): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= minimum && value <= maximum) return value;
  throw new UsageError(`Cannot serve: --${name} must be an integer from ${minimum} to ${maximum}, got "${text}"`);
}
