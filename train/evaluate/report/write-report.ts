import { readFile } from "node:fs/promises";
import path from "node:path";
import { diskFailure, realDisk, replaceFile } from "../../../files/disk.ts";
import type { Recipe } from "../../../schemas/recipe.ts";
import type { Results } from "../../../schemas/results.ts";
import { type MetricsLine, metricsLineSchema } from "../../../schemas/run-status.ts";
import { validate } from "../../../schemas/validate.ts";
import { parse, readStatus } from "../../engine/run-folder.ts";
import type { Findings } from "../protocol.ts";
import { commandOf } from "../published-rows.ts";
import { besideItsName } from "../recipe-changes.ts";
import { renderReport } from "./page.ts";

export interface Evaluated {
  readonly recipe: Recipe;
  readonly results: Results;
  readonly findings: Findings;
}

export const reportName = "report.html";

/**
 * Writes `report.html` into the run folder: one file that loads nothing. The same checkpoint and figures give the same
 * bytes, but for the time that the results bear.
 *
 * @throws FailureError if it cannot be written, or metrics.jsonl is damaged before its last line
 */
export async function writeReport(runDir: string, evaluated: Evaluated): Promise<void> {
  const { recipe, results, findings } = evaluated;
  const pictures = await findings.pictures();
  const metrics = await readMetrics(runDir, results.step);
  const status = await readStatus(runDir);
  const whole = { ...results, step: results.steps };
  const command = commandOf({ recipe, results: whole, ...(await besideItsName(recipe, whole)) });
  const page = renderReport({ recipe, results, status, command, metrics, tables: findings.tables(results), pictures });
  try {
    await replaceFile(realDisk, path.join(runDir, reportName), new TextEncoder().encode(page));
  } catch (error) {
    throw diskFailure(`write ${reportName}`, runDir, error);
  }
}

/** Lines up to the checkpoint that was evaluated; a run that was killed while it logged leaves half a line at the end. */
async function readMetrics(runDir: string, step: number): Promise<MetricsLine[]> {
  const file = path.join(runDir, "metrics.jsonl");
  const text = await readFile(file, "utf8").catch(() => "");
  const whole = text.split("\n").slice(0, -1);
  return whole
    .map((line) => validate(metricsLineSchema, parse(line, file), `read "${file}"`))
    .filter((line) => line.step <= step);
}
