import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import path from "node:path";
import { diskFailure, realDisk, replaceFile } from "../../files/disk.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { type PublishedRow, publishedResultsSchema } from "../../schemas/published-results.ts";
import { type Recipe, recipeSchema } from "../../schemas/recipe.ts";
import { type Results, resultsSchema } from "../../schemas/results.ts";
import { runStatusSchema } from "../../schemas/run-status.ts";
import { type SweepSummary, sweepSummarySchema } from "../../schemas/sweep.ts";
import { validate } from "../../schemas/validate.ts";
import { isCutShort } from "../engine/configuration.ts";
import { parse } from "../engine/run-folder.ts";
import { familyByName } from "../models/registry.ts";
import { readRecipe, recipeNames } from "../recipes/read-recipe.ts";
import { readSweep, sweepNames } from "../sweep/read-sweep.ts";
import { type EvaluatedRun, rowsOf } from "./published-rows.ts";
import { besideItsName } from "./recipe-changes.ts";
import { type ExperimentWords, resultsPage } from "./results-page.ts";
import { isSweepRow, kindOf, sweepRows } from "./sweep-rows.ts";

/**
 * Puts the figures of evaluated runs, and the medians of sweeps, into `docs/results.json` and its part of
 * `docs/results.md`. Runs of one recipe and budget with different seeds become one row a quantity; rows of the same
 * recipe or the same sweep that were there are replaced, others stay. A folder that is not there is made.
 *
 * @throws UsageError if a run is not evaluated, or the runs of one recipe do not belong together
 * @throws FailureError if the folder cannot be made or written
 */
export async function publishResults(folders: readonly string[], docs: string): Promise<readonly PublishedRow[]> {
  const sweeps = folders.filter(isSweep);
  const runs = await Promise.all(folders.filter((folder) => !isSweep(folder)).map(readEvaluated));
  const stamp = { commit: commit() };
  const found = [...rowsOf(runs), ...(await Promise.all(sweeps.map(readSwept))).flatMap(sweepRows)];
  if (found.length === 0) {
    throw new UsageError(
      `Cannot publish ${folders.map((folder) => `"${folder}"`).join(", ")}: there must be a figure, got none`,
    );
  }
  const fresh = found.map((row) => ({ ...row, ...stamp }));
  const file = path.join(docs, "results.json");
  const replaced = new Set(fresh.map(kindOf));
  const kept = (await readRows(file)).filter((row) => !replaced.has(kindOf(row)));
  const rows = [...kept, ...fresh].sort((a, b) => order(a).localeCompare(order(b)));
  const page = path.join(docs, "results.md");
  const written = await readFile(page, "utf8").catch(() => `${begin}\n${end}\n`);
  const text = withPart(written, resultsPage(rows, await wordsOf(rows)), page);
  try {
    await mkdir(docs, { recursive: true });
    await replaceFile(realDisk, file, utf8(`${JSON.stringify(rows, null, 2)}\n`));
    await replaceFile(realDisk, page, utf8(text));
  } catch (error) {
    throw diskFailure("publish results", docs, error);
  }
  return rows;
}

/** Whether a folder is that of a sweep, whose summary is published, and not that of a run. */
function isSweep(folder: string): boolean {
  return existsSync(path.join(folder, "sweep.json"));
}

async function readSwept(folder: string): Promise<SweepSummary> {
  const file = path.join(folder, "summary.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) {
    throw new UsageError(`Cannot publish "${folder}": it must hold summary.json, got none; sweep it first`);
  }
  return validate(sweepSummarySchema, parse(text, file), `publish "${folder}"`);
}

async function readEvaluated(folder: string): Promise<EvaluatedRun> {
  const read = async (name: string): Promise<unknown> => {
    const file = path.join(folder, name);
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) {
      throw new UsageError(`Cannot publish "${folder}": it must hold ${name}, got none; train and evaluate it first`);
    }
    return parse(text, file);
  };
  const action = `publish "${folder}"`;
  const recipe = validate(recipeSchema, await read("recipe.json"), action);
  const results = validate(resultsSchema, await read("results.json"), action);
  const status = validate(runStatusSchema, await read("run.json"), action);
  requireWhole(folder, recipe, results);
  return { folder, recipe, results, status, ...(await besideItsName(recipe, results)) };
}

/** A command that ends where this run was stopped would train otherwise: its figures are of no training but a part of one. */
function requireWhole(folder: string, recipe: Recipe, { step, steps }: Results): void {
  if (!isCutShort(recipe, step, familyByName(recipe.family).phases(recipe.model))) return;
  throw new UsageError(
    `Cannot publish "${folder}": its training must be at its end, since its schedules are, got step ${step} of ${steps}; train on with --resume and evaluate again`,
    { code: "cut_short" },
  );
}

async function readRows(file: string): Promise<PublishedRow[]> {
  const text = await readFile(file, "utf8").catch(() => "[]");
  return validate(publishedResultsSchema, parse(text, file), `read "${file}"`);
}

const begin = "<!-- written by `cominfo results` from here -->";
const end = "<!-- to here -->";

function withPart(text: string, part: string, page: string): string {
  const [from, to] = [text.indexOf(begin), text.indexOf(end)];
  if (from < 0 || to < from) {
    throw new FailureError(`Cannot write "${page}": it must hold the lines "${begin}" and "${end}"`);
  }
  return `${text.slice(0, from + begin.length)}\n\n${part}\n\n${text.slice(to)}`;
}

/** Titles and expected figures of the experiments that are recipes or sweeps of the package. */
async function wordsOf(rows: readonly PublishedRow[]): Promise<Map<string, ExperimentWords>> {
  const words = new Map<string, ExperimentWords>();
  for (const [kind, some] of new Map(rows.map((row) => [kindOf(row), row]))) {
    const name = some.experiment;
    if (isSweepRow(some)) {
      if (!sweepNames().includes(name)) continue;
      const { title, source } = await readSweep(name);
      const judged = rows.filter((row) => kindOf(row) === kind && row.met !== undefined);
      words.set(kind, { title, source, expected: judged.map(({ quantity }) => quantity) });
    } else if (recipeNames().includes(name)) {
      const { title, source, expected } = await readRecipe(name);
      words.set(kind, { title, source, expected: expected.map(({ quantity }) => quantity) });
    }
  }
  return words;
}

const order = ({ experiment, quantity }: PublishedRow): string => `${experiment} ${quantity}`;
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

/** What git says to a folder that is no checkout is no concern of the reader's: the row says `unknown`. */
function commit(): string {
  try {
    const stdio = ["ignore", "pipe", "ignore"] as const;
    return execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8", stdio: [...stdio] }).trim();
  } catch {
    return "unknown";
  }
}
