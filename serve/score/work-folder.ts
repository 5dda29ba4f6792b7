import { createHash } from "node:crypto";
import { link, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import { diskFailure } from "../../files/disk.ts";
import { replaceFile } from "../../files/replace-folder.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { type ScorePart, scorePartSchema } from "../../schemas/score-manifest.ts";
import type { ScorePlan } from "../../schemas/score-plan.ts";
import { validate } from "../../schemas/validate.ts";
import type { Place } from "./place.ts";
import { difference, identityOf, readPlan } from "./plan.ts";

/**
 * The folder of an unfinished run: `plan.json`, and for each finished part its bytes, its rejected rows and, written last,
 * its record. A part is a function of the plan alone, so making one twice, at once or anew, does no harm: whole files
 * are renamed into place, and the record names the bytes' SHA-256.
 */

export interface PartPaths {
  readonly data: string;
  readonly rejects: string;
  readonly record: string;
}

export function partPaths({ work, format }: Place, part: number): PartPaths {
  const stem = path.join(work, `part-${String(part).padStart(6, "0")}`);
  const ending = format === "png" ? "jsonl" : format === "npz" ? "columns" : format;
  return { data: `${stem}.${ending}`, rejects: `${stem}.rejects.jsonl`, record: `${stem}.json` };
}

/**
 * Puts the plan in place, or compares it with the one that is there: of several shards that begin at once one writes it.
 *
 * @throws UsageError where an unfinished run is there and may not be continued, or is another one
 */
export async function claimWork(place: Place, plan: ScorePlan, { resume }: { resume: boolean }): Promise<void> {
  const file = path.join(place.work, "plan.json");
  const temporary = path.join(place.work, `.plan.tmp-${process.pid}-${Date.now()}`);
  try {
    await mkdir(place.work, { recursive: true });
    await writeFile(temporary, `${JSON.stringify(plan, null, 2)}\n`, { flush: true });
    await link(temporary, file); // fails where there is one
    return;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw diskFailure("score", place.work, error);
  } finally {
    await rm(temporary, { force: true });
  }
  const before = await readPlan(file);
  if (!resume) {
    throw new UsageError(
      `Cannot score: "${place.work}" holds an unfinished run: go on with it by --resume, or remove it`,
      { code: "unfinished" },
    );
  }
  if (identityOf(before) !== identityOf(plan)) {
    throw new UsageError(`Cannot resume: ${difference(before, plan)}; remove "${place.work}" to begin anew`, {
      code: "changed",
    });
  }
}

/** Names of what runs put into the folder; hidden ones are files that a killed run was writing. */
const own = /^(\.|plan\b|part-)/;

/** Of pictures: what parts that are finished list, in a run that is not. */
export async function partLists({ work }: Place): Promise<string[]> {
  const names = await readdir(work).catch(() => [] as string[]);
  return names.filter((name) => /^part-\d+\.jsonl$/.test(name)).map((name) => path.join(work, name));
}

/** @throws UsageError where the folder holds what no run has made: it would go with the parts */
export async function requireOwnWork({ work }: Place): Promise<void> {
  const names = await readdir(work).catch(() => [] as string[]);
  const other = names.find((name) => !own.test(name));
  if (other === undefined) return;
  throw new UsageError(
    `Cannot score: "${work}" must hold the parts of a run and nothing else, got "${other}"; name another --out`,
    { code: "exists" },
  );
}

/** The plan goes last: while it is there, whoever merges again knows whose parts they were. */
export async function removeWork({ work }: Place): Promise<void> {
  for (const name of await readdir(work).catch(() => [] as string[])) {
    if (name !== "plan.json") await rm(path.join(work, name), { recursive: true, force: true });
  }
  await rm(work, { recursive: true, force: true });
}

/** Of a run that failed before its first part was finished. */
export async function removeWorkWithoutParts(place: Place): Promise<void> {
  const names = await readdir(place.work).catch(() => [] as string[]);
  if (!names.some((name) => name.startsWith("part-"))) await removeWork(place);
}

/** Records that are read at once: all of them may be more files than a process can have open. */
const AT_ONCE = 64;

/** The records of these parts, in their order; undefined where a part must be made. */
export async function findParts(
  place: Place,
  parts: readonly number[],
  plan: string,
): Promise<(ScorePart | undefined)[]> {
  const found: (ScorePart | undefined)[] = [];
  for (let at = 0; at < parts.length; at += AT_ONCE) {
    found.push(...(await Promise.all(parts.slice(at, at + AT_ONCE).map((part) => findPart(place, part, plan)))));
  }
  return found;
}

async function findPart(place: Place, part: number, plan: string): Promise<ScorePart | undefined> {
  const paths = partPaths(place, part);
  const text = await readFile(paths.record, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined;
    throw new FailureError(`Cannot read "${paths.record}": ${cause.message}`, { code: "unreadable", cause });
  });
  if (text === undefined) return undefined;
  const record = validate(scorePartSchema, JSON.parse(text), `read "${paths.record}"`);
  return record.plan === plan ? record : undefined;
}

export async function storePart(
  place: Place,
  { record, data, rejects }: { record: Omit<ScorePart, "bytes" | "sha256">; data: Uint8Array; rejects: string },
): Promise<ScorePart> {
  const paths = partPaths(place, record.part);
  const whole: ScorePart = { ...record, bytes: data.length, sha256: sha256Of(data) };
  await replaceFile(paths.data, data);
  if (rejects !== "") await replaceFile(paths.rejects, Buffer.from(rejects, "utf8"));
  await replaceFile(paths.record, Buffer.from(`${JSON.stringify(whole)}\n`, "utf8"));
  return whole;
}

/** @throws FailureError that names the first part that is missing, with how many are */
export async function readParts(
  place: Place,
  { parts, identity }: { parts: number; identity: string },
): Promise<ScorePart[]> {
  const found = await findParts(place, [...Array(parts).keys()], identity);
  const lacking = found.flatMap((record, part) => (record === undefined ? [part] : []));
  if (lacking.length > 0) {
    throw new FailureError(
      `Cannot merge: all ${parts} parts must be there, got ${parts - lacking.length}; the first that is missing is part ${lacking[0]}. Run the shards that lack, or --resume without --shard`,
      { code: "missing_parts" },
    );
  }
  return found as ScorePart[];
}

export async function hasPlan(place: Place): Promise<boolean> {
  return (await readdir(place.work).catch(() => [] as string[])).includes("plan.json");
}

function sha256Of(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
