import type { Command } from "commander";

export interface EdgeFlags {
  readonly tokenFile?: string;
  readonly operatorTokenFile?: string;
  readonly rateLimit?: string;
  readonly estimates: string;
  readonly logLevel: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

/** Flags of `serve` about who may call, and what is written of it. */
export function addEdgeFlags(command: Command): Command {
  return command
    .option("--token-file <file>", "bearer token that every route wants but health (or COMINFO_TOKEN)")
    .option(
      "--operator-token-file <file>",
      "bearer token for load and unload, off without one (or COMINFO_OPERATOR_TOKEN)",
    )
    .option("--rate-limit <number>", "requests of one address a minute but probes (default: any number)")
    .option("--estimates <folder>", "keeps estimates asked for in the background", ".cache/estimates")
    .option("--log-level <name>", "debug: every request; info: those refused; warn: those failed; silent", "warn")
    .option("--tls-cert <file>", "certificate in PEM: serves HTTPS")
    .option("--tls-key <file>", "its key in PEM");
}
