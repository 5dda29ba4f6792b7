import { readdir } from "node:fs/promises";
import path from "node:path";
import { UsageError } from "../../schemas/errors.ts";
import { placeOf } from "./place.ts";
import { readPlan } from "./plan.ts";
import { describeOutcome } from "./report.ts";
import { mergeRun } from "./run-score.ts";

/** `cominfo score merge DESTINATION`: task and format are those of the plan. */
export async function mergeCommand(destination: string, flags: { hash: boolean; json?: true }): Promise<void> {
  const work = await workFolder(destination);
  const { task, output } = await readPlan(path.join(work, "plan.json"));
  const place = placeOf(destination, {
    task,
    format: work === `${path.resolve(destination)}.parts` ? undefined : output,
  });
  const began = performance.now();
  const manifest = await mergeRun(place, { hash: flags.hash });
  const finishing = (performance.now() - began) / 1000;
  const { read, rejected } = manifest.rows;
  const rows = { total: read, before: read, scored: 0, rejected };
  if (flags.json) console.log(JSON.stringify(manifest));
  else
    console.error(
      describeOutcome({ manifest, rows, seconds: { opening: 0, scoring: 0, finishing }, interrupted: false }),
    );
}

async function workFolder(destination: string): Promise<string> {
  const target = path.resolve(destination);
  for (const folder of [`${target}.parts`, path.join(target, "parts")]) {
    if ((await readdir(folder).catch(() => [] as string[])).includes("plan.json")) return folder;
  }
  throw new UsageError(`Cannot merge "${destination}": it must be the --out of shards, got no parts there`, {
    code: "no_run",
  });
}
