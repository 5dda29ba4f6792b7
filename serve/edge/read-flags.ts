import { readFile } from "node:fs/promises";
import { type DestinationStream, pino } from "pino";
import { UsageError } from "../../schemas/errors.ts";
import type { ServerOptions } from "../start-server.ts";
import type { EdgeFlags } from "./flags.ts";

const levels = ["debug", "info", "warn", "error", "silent"];

/** Apart from the flags themselves, so that `--help` loads nothing. @throws UsageError */
export async function edgeOf(
  flags: EdgeFlags,
): Promise<Pick<ServerOptions, "tokens" | "ratePerMinute" | "logger" | "tls">> {
  const { rateLimit, logLevel, tlsCert, tlsKey } = flags;
  if (!levels.includes(logLevel)) {
    throw new UsageError(`Cannot serve: --log-level must be one of ${levels.join(", ")}, got "${logLevel}"`);
  }
  if (rateLimit !== undefined && !/^[1-9]\d{0,8}$/.test(rateLimit)) {
    throw new UsageError(`Cannot serve: --rate-limit must be a whole number from 1, got "${rateLimit}"`);
  }
  if ((tlsCert === undefined) !== (tlsKey === undefined)) {
    throw new UsageError("Cannot serve: --tls-cert and --tls-key must be given together, got one of them");
  }
  const tls =
    tlsCert === undefined
      ? undefined
      : { cert: await text(tlsCert, "--tls-cert"), key: await text(tlsKey!, "--tls-key") };
  return {
    tokens: {
      client: await tokenOf(flags.tokenFile, { flag: "--token-file", variable: "COMINFO_TOKEN" }),
      operator: await tokenOf(flags.operatorTokenFile, {
        flag: "--operator-token-file",
        variable: "COMINFO_OPERATOR_TOKEN",
      }),
    },
    ratePerMinute: rateLimit === undefined ? undefined : Number(rateLimit),
    logger: pino({ level: logLevel }, standardError()),
    tls,
  };
}

/**
 * The server outlives its log: a terminal that was closed or a disk that is full must not cut requests off. Left alone,
 * the stream throws what it cannot write, and at the end of the process tries again for ever.
 */
function standardError(): DestinationStream {
  const stream = pino.destination({ fd: 2, sync: false });
  const none = () => undefined;
  // As pino itself does for a pipe that was closed.
  stream.on("error", () => Object.assign(stream, { write: none, flush: none, flushSync: none, end: none }));
  return stream;
}

/** From a file or the environment: on the command line every user of the machine could read it. */
async function tokenOf(
  file: string | undefined,
  { flag, variable }: { flag: string; variable: string },
): Promise<string | undefined> {
  const token = file === undefined ? process.env[variable] : (await text(file, flag)).trim();
  if (token === undefined) return undefined;
  if (/^[\w.~+/=-]{16,}$/.test(token)) return token;
  const source = file === undefined ? variable : `the file of ${flag}`;
  throw new UsageError(`Cannot serve: ${source} must hold a token of at least 16 letters, digits, or . _ ~ + / = -`);
}

async function text(file: string, flag: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new UsageError(`Cannot serve: the file of ${flag} must be readable, got ${(cause as Error).message}`, {
      cause,
    });
  }
}
