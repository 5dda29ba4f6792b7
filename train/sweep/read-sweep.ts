import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../../schemas/errors.ts";
import { type Sweep, sweepSchema } from "../../schemas/sweep.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import { validate } from "../../schemas/validate.ts";

/** Names of the plans that come with the package. */
export function sweepNames(): string[] {
  return readdirSync(plansFolder())
    .filter((file) => file.endsWith(".json"))
    .map((file) => file.slice(0, -".json".length))
    .sort();
}

/**
 * Reads a sweep of the package by name, or a JSON file by path, and checks that it speaks of its own variants and
 * quantities.
 *
 * @throws UsageError that names what is wrong, and the nearest valid name
 */
export async function readSweep(nameOrFile: string): Promise<Sweep> {
  const action = `read sweep "${nameOrFile}"`;
  const text = await readFile(fileOf(nameOrFile), "utf8").catch((cause: Error) => {
    throw new UsageError(`Cannot ${action}: ${cause.message}`, { cause });
  });
  const sweep = validate(sweepSchema, parse(text, action), action);
  const variants = sweep.variants.map(({ name }) => name);
  const twice = variants.find((name, i) => variants.indexOf(name) !== i);
  if (twice !== undefined)
    throw new UsageError(`Cannot ${action}: variants must have different names, got "${twice}" twice`);
  for (const { of, against, quantity } of sweep.comparisons) {
    for (const name of [of, against]) requireKnown("variant", name, { known: variants, action });
    requireKnown("quantity", quantity, { known: Object.keys(sweep.quantities), action });
  }
  for (const chart of sweep.charts) {
    for (const name of chart.variants) requireKnown("variant", name, { known: variants, action });
  }
  for (const { quantity, points } of sweep.trends) {
    requireKnown("quantity", quantity, { known: Object.keys(sweep.quantities), action });
    for (const { variant } of points) requireKnown("variant", variant, { known: variants, action });
  }
  return sweep;
}

/** @returns the name of the budget: `full` where none is asked for. @throws UsageError for an unknown one */
export function budgetOf(sweep: Sweep, budget: string | undefined): string {
  if (budget === undefined || budget === "full") return "full";
  requireKnown("budget", budget, {
    known: Object.keys(sweep.budgets),
    action: `use budget "${budget}" of sweep "${sweep.name}"`,
  });
  return budget;
}

function requireKnown(
  kind: string,
  name: string,
  { known, action }: { known: readonly string[]; action: string },
): void {
  if (known.includes(name)) return;
  throw new UsageError(
    `Cannot ${action}: unknown ${kind} "${name}", it has ${known.join(", ") || "none"}${didYouMean(name, known)}`,
    { code: "invalid" },
  );
}

function fileOf(nameOrFile: string): string {
  if (nameOrFile.endsWith(".json") || /[\\/]/.test(nameOrFile)) {
    if (existsSync(nameOrFile)) return nameOrFile;
    throw new UsageError(`Cannot read sweep "${nameOrFile}": it must be a file, got nothing there`, {
      code: "no_sweep",
    });
  }
  const names = sweepNames();
  if (names.includes(nameOrFile)) return path.join(plansFolder(), `${nameOrFile}.json`);
  throw new UsageError(
    `Cannot find sweep "${nameOrFile}": it must be ${names.join(", ")} or the path of a JSON file${didYouMean(nameOrFile, names)}`,
    { code: "no_sweep" },
  );
}

/** The JSON files lie beside the sources; the compiled program in dist/ reads them from there. */
function plansFolder(): string {
  const here = fileURLToPath(new URL("./plans", import.meta.url));
  const fromDist = fileURLToPath(new URL("../../../train/sweep/plans", import.meta.url));
  return existsSync(here) ? here : fromDist;
}

function parse(text: string, action: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new UsageError(`Cannot ${action}: it must be JSON, got ${why}`, { cause });
  }
}
