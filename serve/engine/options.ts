import { availableParallelism } from "node:os";
import { UsageError } from "../../schemas/errors.ts";
import {
  type BatchingOptions,
  type BundleOptions,
  type ServeConfig,
  serveConfigSchema,
} from "../../schemas/serve-config.ts";
import { validate } from "../../schemas/validate.ts";
import { batchingDefaults, bundleDefaults, cpuInstances } from "./defaults.ts";
import { nearestName } from "./directory.ts";

/** What the configuration says of one bundle or one model: its own options over those of all over the defaults. */

/** @throws UsageError that names the key, or the two that contradict each other */
export function checkConfig(config: unknown, action: string): ServeConfig {
  const checked = validate(serveConfigSchema, config, action);
  for (const name of [undefined, ...Object.keys(checked.models ?? {})]) {
    const { defaultPriority, priorityLevels, preferredBatchRows, maxBatchRows } = batchingOf(checked, name ?? "");
    const of = name === undefined ? "" : ` of "${name}"`;
    if (defaultPriority > priorityLevels) {
      throw new UsageError(
        `Cannot ${action}: defaultPriority${of} must be at most priorityLevels, ${priorityLevels}, got ${defaultPriority}`,
      );
    }
    const beyond = preferredBatchRows.find((rows) => rows > maxBatchRows);
    if (beyond !== undefined) {
      throw new UsageError(
        `Cannot ${action}: preferredBatchRows${of} must be at most maxBatchRows, ${maxBatchRows}, got ${beyond}`,
      );
    }
  }
  return checked;
}

/** What is there to be configured, by name. */
export interface Configurable {
  readonly bundles: readonly string[];
  /** `<bundle>.<task>` */
  readonly models: readonly string[];
  /** Bundles that could not be read: nobody knows their models. */
  readonly unread: readonly string[];
}

/** A line for each name in the configuration that is nothing's: mistyped, or of a bundle that is yet to come. */
export function unusedOptions(config: ServeConfig, { bundles, models, unread }: Configurable): string[] {
  const unused = (kind: string, names: readonly string[], known: readonly string[]): string[] =>
    names.map((name) => {
      const meant = nearestName(name, known);
      const hint = meant === undefined ? "" : `, did you mean "${meant}"?`;
      return `Not used: options of ${kind} "${name}". It is not in the repository now${hint}`;
    });
  const isUnread = (model: string): boolean => unread.some((bundle) => model.startsWith(`${bundle}.`));
  const ofBundles = Object.keys(config.bundles ?? {}).filter((name) => ![...bundles, ...unread].includes(name));
  const ofModels = Object.keys(config.models ?? {}).filter((name) => !models.includes(name) && !isUnread(name));
  return [...unused("bundle", ofBundles, [...bundles, ...unread]), ...unused("model", ofModels, models)];
}

/** @param model `<bundle>.<task>` */
export function batchingOf(config: ServeConfig, model: string): BatchingOptions {
  return pick(batchingDefaults, [ownEntry(config.models, model), config]);
}

export function bundleOf(config: ServeConfig, bundle: string): BundleOptions {
  const own = ownEntry(config.bundles, bundle);
  const chosen = pick(bundleDefaults, [own, config]);
  const cores = availableParallelism();
  const threads = own?.threads ?? config.threads;
  const most = chosen.device === "cpu" ? cpuInstances : 1;
  const fitting = Math.max(1, Math.min(most, Math.floor(cores / (threads ?? 1))));
  const instances = own?.instances ?? config.instances ?? fitting;
  return { ...chosen, instances, threads: threads ?? Math.max(1, Math.floor(cores / instances)) };
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
