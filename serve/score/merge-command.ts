import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { UsageError } from "../../schemas/errors.ts";
import { type ScoreManifest, scoreManifestSchema } from "../../schemas/score-manifest.ts";
import { validate } from "../../schemas/validate.ts";
import { type Place, placeOf } from "./place.ts";
import { readPlan } from "./plan.ts";
import { describeOutcome } from "./report.ts";
import { mergeRun } from "./run-score.ts";
import { hasPlan } from "./work-folder.ts";

/** `cominfo score merge DESTINATION`: task and format are those of the plan, or of the manifest where all is done. */
export async function mergeCommand(destination: string, flags: { hash: boolean; json?: true }): Promise<void> {
  const place = await placeToMerge(destination);
  const isDone = !(await hasPlan(place));
  const began = performance.now();
  const manifest = await mergeRun(place, { hash: flags.hash });
  const finishing = (performance.now() - began) / 1000;
  const { read, rejected } = manifest.rows;
  const rows = { total: read, before: read, scored: 0, rejected };
  if (isDone) console.error(`"${place.file}" is there already, and complete`);
  if (flags.json) console.log(JSON.stringify(manifest));
  else
    console.error(
      describeOutcome({ manifest, rows, seconds: { opening: 0, scoring: 0, finishing }, interrupted: false }),
    );
}

async function placeToMerge(destination: string): Promise<Place> {
  const target = path.resolve(destination);
  for (const folder of [`${target}.parts`, path.join(target, "parts")]) {
    if (!(await readdir(folder).catch(() => [] as string[])).includes("plan.json")) continue;
    const { task, output } = await readPlan(path.join(folder, "plan.json"));
    return placeOf(destination, { task, format: folder === `${target}.parts` ? undefined : output });
  }
  for (const file of [`${target}.manifest.json`, path.join(target, "manifest.json")]) {
    const manifest = await readManifest(file);
    if (manifest === undefined) continue;
    const { task, output } = manifest;
    return placeOf(destination, { task, format: file === `${target}.manifest.json` ? undefined : output.format });
  }
  throw new UsageError(`Cannot merge "${destination}": it must be the --out of shards, got no parts there`, {
    code: "no_run",
  });
}

/** Undefined where there is none, or that of something else, a bundle say. */
async function readManifest(file: string): Promise<ScoreManifest | undefined> {
  try {
    return validate(scoreManifestSchema, JSON.parse(await readFile(file, "utf8")), `read "${file}"`);
  } catch {
    return undefined;
  }
}
