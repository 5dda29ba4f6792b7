import { readFileSync } from "node:fs";
import { UsageError } from "../../schemas/errors.ts";
import { type ServeConfig, serveConfigSchema, type VersionPolicy } from "../../schemas/serve-config.ts";
import { validate } from "../../schemas/validate.ts";
import type { EngineFlags } from "./flags.ts";
import { checkConfig } from "./options.ts";

/**
 * The configuration file with the flags over it.
 *
 * @throws UsageError for a file that cannot be read or is not a configuration, or a flag out of range
 */
export function configOf(flags: EngineFlags): ServeConfig {
  const own = {
    device: flags.device,
    instances: numberOf("instances", flags.instances),
    threads: numberOf("threads", flags.threads),
    maxBatchRows: numberOf("max-batch", flags.maxBatch),
    maxDelayMs: numberOf("batch-delay", flags.batchDelay),
    maxQueue: numberOf("max-queue", flags.maxQueue),
    timeoutMs: numberOf("timeout", flags.timeout),
    versions: flags.versions === undefined ? undefined : policyOf(flags.versions),
  };
  const given = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
  if (flags.config === undefined) return checkConfig(given, "read flags");
  const action = `read configuration "${flags.config}"`;
  const file = validate(serveConfigSchema, readJson(flags.config), action);
  validate(serveConfigSchema, given, "read flags");
  // What contradicts each other only the two together can tell: a flag may mend what the file says.
  return checkConfig({ ...file, ...given }, action);
}

export function pollMsOf({ poll }: EngineFlags): number {
  const seconds = numberOf("poll", poll)!;
  if (seconds === 0 || (seconds >= 0.1 && seconds <= 86_400)) return seconds * 1000;
  throw new UsageError(`Cannot serve: --poll must be 0 or from 0.1 to 86400 seconds, got "${poll}"`);
}

function numberOf(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text);
  throw new UsageError(`Cannot serve: --${name} must be a number from 0, got "${text}"`);
}

function policyOf(text: string): VersionPolicy {
  if (text === "all") return "all";
  if (/^[1-9]\d{0,8}$/.test(text)) return { latest: Number(text) };
  if (/^v[1-9]\d*(,v[1-9]\d*)*$/.test(text)) return { specific: text.split(",").map((name) => name.slice(1)) };
  throw new UsageError(`Cannot serve: --versions must be all, a number, or names like v3,v5, got "${text}"`);
}

function readJson(file: string): unknown {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (cause) {
    throw new UsageError(`Cannot read configuration "${file}": ${(cause as Error).message}`, { cause });
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`Cannot read configuration "${file}": it must be JSON, got ${(cause as Error).message}`, {
      cause,
    });
  }
}
