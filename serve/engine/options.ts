import { availableParallelism } from "node:os";
import { UsageError } from "../../schemas/errors.ts";
import {
  type BatchingOptions,
  type BundleOptions,
  type ServeConfig,
  serveConfigSchema,
} from "../../schemas/serve-config.ts";
import { validate } from "../../schemas/validate.ts";
import { batchingDefaults, bundleDefaults } from "./defaults.ts";

/** What the configuration says of one bundle or one model: its own options over those of all over the defaults. */

/** @throws UsageError that names the key, or the two that contradict each other */
export function checkConfig(config: unknown, action: string): ServeConfig {
  const checked = validate(serveConfigSchema, config, action);
  for (const name of [undefined, ...Object.keys(checked.models ?? {})]) {
    const { defaultPriority, priorityLevels } = batchingOf(checked, name ?? "");
    if (defaultPriority > priorityLevels) {
      const of = name === undefined ? "" : ` of "${name}"`;
      throw new UsageError(
        `Cannot ${action}: defaultPriority${of} must be at most priorityLevels, ${priorityLevels}, got ${defaultPriority}`,
      );
    }
  }
  return checked;
}

/** @param model `<bundle>.<task>` */
export function batchingOf(config: ServeConfig, model: string): BatchingOptions {
  return pick(batchingDefaults, [ownEntry(config.models, model), config]);
}

export function bundleOf(config: ServeConfig, bundle: string): BundleOptions {
  const own = ownEntry(config.bundles, bundle);
  const chosen = pick(bundleDefaults, [own, config]);
  const share = Math.max(1, Math.floor(availableParallelism() / chosen.instances));
  return { ...chosen, threads: own?.threads ?? config.threads ?? share };
}

function ownEntry<T>(record: Readonly<Record<string, T>> | undefined, key: string): T | undefined {
  return record !== undefined && Object.hasOwn(record, key) ? record[key] : undefined;
}

/** For each key of `defaults`, the first of `sources` that has it. */
function pick<T extends object>(defaults: T, sources: readonly (Partial<T> | undefined)[]): T {
  const chosen = { ...defaults };
  for (const key of Object.keys(defaults) as (keyof T)[]) {
    for (const source of sources) {
      const value = source?.[key];
      if (value === undefined) continue;
      chosen[key] = value as T[typeof key];
      break;
    }
  }
  return chosen;
}
