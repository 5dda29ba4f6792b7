import { existsSync, readFileSync } from "node:fs";
import { realpath, rm, stat } from "node:fs/promises";
import path from "node:path";
import { sha256OfFile } from "../../files/sha256.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { type ScoreManifest, scoreManifestSchema } from "../../schemas/score-manifest.ts";
import type { ScorePlan } from "../../schemas/score-plan.ts";
import { validate } from "../../schemas/validate.ts";
import { removeListedPictures } from "./listed-pictures.ts";
import type { Place } from "./place.ts";
import type { OpenedPlan } from "./plan.ts";
import { partLists } from "./work-folder.ts";

/** What lies at --out belongs to somebody: what may go, and what is there already. */

/** @throws UsageError where the run would replace what it reads, or a folder */
export async function requireApart({ plan, shape }: OpenedPlan, place: Place): Promise<void> {
  if ((await stat(place.file).catch(() => undefined))?.isDirectory())
    throw new UsageError(`Cannot score: "${place.file}" must be a file, got a folder; name another --out`);
  const { pictures } = place;
  const folders = pictures === undefined ? [] : shape.tensors.map(({ spec }) => path.join(pictures, spec.name));
  const outputs = await Promise.all([place.file, place.manifest, place.rejects, ...folders].map(whole));
  for (const { path: source } of plan.sources) {
    if (outputs.includes(await whole(source)))
      throw new UsageError(`Cannot score: --out must not replace an input, got "${source}"`);
  }
}

const whole = (file: string): Promise<string> => realpath(file).catch(() => file);

/** For `--overwrite`: takes away what earlier runs have made, finished or not, but for what this one reads. */
export async function removeEarlier(place: Place, { sources }: ScorePlan): Promise<void> {
  await rm(place.manifest, { force: true }); // first: it says that all of the rest is there
  const { pictures } = place;
  if (pictures !== undefined) {
    const spared = new Set(await Promise.all(sources.map(({ path: source }) => whole(source))));
    for (const list of [place.file, ...(await partLists(place))]) await removeListedPictures(list, pictures, spared);
  }
  for (const old of [place.work, place.file]) await rm(old, { recursive: true, force: true });
}

/** @throws FailureError where the manifest is that of something else */
export function finishedRun(place: Place): ScoreManifest | undefined {
  if (!existsSync(place.manifest)) return undefined;
  try {
    const text = readFileSync(place.manifest, "utf8");
    const manifest = validate(scoreManifestSchema, JSON.parse(text), `read "${place.manifest}"`);
    return existsSync(place.file) ? manifest : undefined;
  } catch (cause) {
    throw new FailureError(`Cannot score: "${place.manifest}" is there and is no score manifest; name another --out`, {
      code: "exists",
      cause,
    });
  }
}

/** Whether the output is still the one that its manifest tells of. */
export async function isUnchanged({ file }: Place, { output }: ScoreManifest): Promise<boolean> {
  const { size } = await stat(file);
  return size === output.bytes && sha256OfFile(file, "compare the output with its manifest") === output.sha256;
}

/**
 * What a finished run has made stays as it is. A run may find its own there: one that is resumed, or a shard that whoever
 * does not know of the merge starts again (Kubernetes, for a lost index).
 *
 * @throws UsageError where it is not the whole output of the same plan, or was not asked for
 */
export async function requireOwnOutput(
  place: Place,
  finished: ScoreManifest,
  { identity, resume, isShard }: { identity: string; resume: boolean; isShard: boolean },
): Promise<void> {
  const mayBeThere = resume || isShard;
  if (mayBeThere && finished.plan === identity && (await isUnchanged(place, finished))) return;
  const changed = finished.plan === identity ? "no longer what its manifest tells of" : "of another run";
  const what = mayBeThere ? ` and ${changed}` : "";
  const remedy = isShard ? `remove it and "${place.manifest}"` : "use --overwrite";
  throw new UsageError(`Cannot score: "${place.file}" is there${what}: name another --out, or ${remedy}`, {
    code: "exists",
  });
}
