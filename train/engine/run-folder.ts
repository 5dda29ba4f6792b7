import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { type Disk, diskFailure, replaceFile } from "../../files/disk.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import { type RunStatus, runStatusSchema } from "../../schemas/run-status.ts";
import { validate } from "../../schemas/validate.ts";
import { removeLeftovers } from "./checkpoint.ts";
import { lockFolder } from "./lock.ts";

/** What a run folder holds: recipe.json (after overrides), run.json, metrics.jsonl, checkpoints/, and lock.json while it runs. */
const ownFiles = ["recipe.json", "run.json", "metrics.jsonl", "checkpoints"] as const;

/** What later verbs put beside them; it belongs to the old values and goes with them. */
const derivedFiles = ["results.json", "report.html"] as const;

/** Holds the run that `--force` replaces until the new one has done its first step. */
const replaced = "replaced";

/** Its name while it is deleted, which takes several calls: a half of it must not be put back. */
const doomed = `${replaced}.old`;

export interface RunFolder {
  readonly path: string;
  /** Whether a run was there before. */
  readonly existed: boolean;
  writeRecipe(recipe: Recipe): Promise<void>;
  writeStatus(status: Omit<RunStatus, "format">): Promise<void>;
  /** Says that the new run has done a step: the one that it replaces goes. */
  begun(): Promise<void>;
  /** Takes everything back that this process has put there, the folders included that it made. */
  discard(): Promise<void>;
  /** Lets other processes in. */
  release(): void;
}

export interface RunFolderOptions {
  readonly resume: boolean;
  /** Start anew where a run is, which is lost once the new one has begun. */
  readonly force: boolean;
  readonly disk: Disk;
}

/**
 * Takes a folder for a run.
 *
 * @throws UsageError if a run is there and neither `resume` nor `force` is set, if there is none to resume, or if the
 *   folder holds something else
 * @throws FailureError if another process trains there, or the folder cannot be written
 */
export async function openRunFolder(folder: string, { resume, force, disk }: RunFolderOptions): Promise<RunFolder> {
  const entries = entriesOf(folder);
  const existed = entries?.some((name) => name === "recipe.json" || name === replaced) ?? false;
  if (existed && !resume && !force) {
    throw new UsageError(
      `Cannot train into "${folder}": a run is there already; continue it with --resume, start anew with --force, or choose another --out`,
      { code: "run_exists" },
    );
  }
  if (!existed && resume) {
    throw new UsageError(`Cannot resume "${folder}": it must hold a run, got none; leave out --resume to start one`, {
      code: "no_run",
    });
  }
  const stranger = existed ? undefined : entries?.find((name) => !isOwn(name));
  if (stranger !== undefined) {
    throw new UsageError(`Cannot train into "${folder}": it must be empty or hold a run, got "${stranger}"`, {
      code: "not_a_run",
    });
  }
  const made = makeFolder(folder);
  let release: () => void;
  try {
    release = lockFolder(folder);
  } catch (error) {
    throw diskFailure("start training", folder, error);
  }
  await removeAll(folder, [doomed]);
  await putBack(folder); // whoever set it aside was killed before its first step
  if (force && existed) await setAside(folder);
  await removeLeftovers(folder);
  const write = async (name: string, value: unknown): Promise<void> => {
    try {
      await replaceFile(disk, path.join(folder, name), new TextEncoder().encode(`${JSON.stringify(value, null, 2)}\n`));
    } catch (error) {
      throw diskFailure(`write ${name}`, folder, error);
    }
  };
  return {
    path: folder,
    existed: existed && !force,
    writeRecipe: (recipe) => write("recipe.json", recipe),
    writeStatus: (status) => write("run.json", { format: 1, ...status }),
    async begun() {
      const aside = path.join(folder, replaced);
      if (existsSync(aside)) await rename(aside, path.join(folder, doomed));
      await removeAll(folder, [doomed]);
    },
    async discard() {
      await removeAll(folder, ownFiles);
      await putBack(folder);
      release();
      // From the inside out, up to a folder that meanwhile holds something of another process.
      for (const folder of made) if (!(await removeEmpty(folder))) break;
    },
    release,
  };
}

/** @returns undefined where no run has been started */
export async function readStatus(folder: string): Promise<RunStatus | undefined> {
  const file = path.join(folder, "run.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  return validate(runStatusSchema, parse(text, file), `read "${file}"`);
}

export function parse(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FailureError(`Cannot read "${file}": it must be JSON, got something else`, { cause });
  }
}

function entriesOf(folder: string): string[] | undefined {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
    throw diskFailure("start training", folder, error);
  }
}

/** @returns the folders that were not there before, the innermost first */
function makeFolder(folder: string): string[] {
  try {
    const outermost = mkdirSync(folder, { recursive: true });
    const made: string[] = [];
    for (let inner = path.resolve(folder); outermost !== undefined; inner = path.dirname(inner)) {
      made.push(inner);
      if (inner === path.resolve(outermost)) break;
    }
    return made;
  } catch (error) {
    throw diskFailure("start training", folder, error);
  }
}

/** A run that was killed in its first moments leaves a lock and perhaps a temporary file, and no recipe. */
function isOwn(name: string): boolean {
  return ["lock.json", ...ownFiles].some((own) => name === own || name.startsWith(`${own}.`));
}

function removeEmpty(folder: string): Promise<boolean> {
  return rmdir(folder).then(
    () => true,
    () => false,
  );
}

async function setAside(folder: string): Promise<void> {
  try {
    await mkdir(path.join(folder, replaced));
    for (const name of await runFilesOf(folder))
      await rename(path.join(folder, name), path.join(folder, replaced, name));
  } catch (error) {
    throw diskFailure("set the run aside", folder, error);
  }
}

async function putBack(folder: string): Promise<void> {
  const aside = path.join(folder, replaced);
  if (!existsSync(aside)) return;
  try {
    for (const name of await runFilesOf(aside)) {
      await rm(path.join(folder, name), { recursive: true, force: true }); // of the run that did not begin
      await rename(path.join(aside, name), path.join(folder, name));
    }
    await rmdir(aside);
  } catch (error) {
    throw diskFailure("put the run back", folder, error);
  }
}

/** Files of a run that are in the folder. */
async function runFilesOf(folder: string): Promise<string[]> {
  const names = new Set<string>([...ownFiles, ...derivedFiles]);
  return (await readdir(folder)).filter((name) => names.has(name));
}

async function removeAll(folder: string, names: readonly string[]): Promise<void> {
  for (const name of names) await rm(path.join(folder, name), { recursive: true, force: true });
}
