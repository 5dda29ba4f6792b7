import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import path from "node:path";
import { type Disk, diskFailure, realDisk, syncFolder } from "../../files/disk.ts";
import { type CheckpointState, checkpointSchema } from "../../schemas/checkpoint.ts";
import { FailureError } from "../../schemas/errors.ts";
import { readSafetensors, writeSafetensors } from "../../schemas/safetensors.ts";
import { validate } from "../../schemas/validate.ts";
import type { State } from "./engine.ts";

/**
 * Checkpoints of a run: `checkpoints/step-000500/` with `state.safetensors` and `state.json`. A folder is written under
 * another name and renamed when both files are on the medium, so a folder `step-*` is complete whenever the process
 * was killed; the hash in state.json finds damage done later.
 */

export interface Checkpoint {
  readonly state: CheckpointState;
  readonly values: State;
}

export type CheckpointHead = Omit<CheckpointState, "format" | "sha256" | "variables">;

export interface SaveOptions {
  readonly disk?: Disk;
  /** How many checkpoints stay; default two: the newest, and the one before should the newest be damaged. */
  readonly keep?: number | undefined;
}

/**
 * @param folder of the run
 * @throws FailureError when the disk is full or not writable; the checkpoints before stay as they are
 */
export async function saveCheckpoint(
  folder: string,
  head: CheckpointHead,
  values: State,
  { disk = realDisk, keep = 2 }: SaveOptions = {},
): Promise<void> {
  const all = path.join(folder, "checkpoints");
  const target = path.join(all, nameOf(head.step));
  const temporary = `${target}.tmp`;
  const bytes = writeSafetensors(values);
  const state: CheckpointState = {
    format: 1,
    ...head,
    sha256: sha256(bytes),
    variables: [...values].map(([name, { dtype, shape }]) => ({ name, dtype, shape: [...shape] })),
  };
  try {
    await mkdir(all, { recursive: true });
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary);
    await disk.write(path.join(temporary, "state.safetensors"), bytes);
    await disk.write(
      path.join(temporary, "state.json"),
      new TextEncoder().encode(`${JSON.stringify(state, null, 2)}\n`),
    );
    await syncFolder(temporary);
    await removeCheckpoint(target); // there only when a resume has fallen back behind it
    await rename(temporary, target);
    await syncFolder(all);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw diskFailure(`save the checkpoint of step ${head.step}`, folder, error);
  }
  const steps = await checkpointSteps(folder);
  for (const step of steps.slice(0, -keep)) await removeCheckpoint(path.join(all, nameOf(step)));
}

/**
 * The newest checkpoint that is whole.
 *
 * @param warn told of each damaged checkpoint that was passed over
 * @returns undefined where there is none at all
 * @throws FailureError if there are checkpoints and all are damaged
 */
export async function loadLatestCheckpoint(
  folder: string,
  warn: (message: string) => void,
): Promise<Checkpoint | undefined> {
  const steps = await checkpointSteps(folder);
  const faults: string[] = [];
  for (const step of steps.toReversed()) {
    try {
      return await loadCheckpoint(path.join(folder, "checkpoints", nameOf(step)));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      faults.push(error.message);
      warn(`${error.message}; falling back to the checkpoint before it`);
    }
  }
  if (faults.length === 0) return undefined;
  throw new FailureError(
    `Cannot resume "${folder}": one checkpoint must be whole, got ${faults.length} damaged (${faults[0]}); start anew with --force`,
    { code: "bad_checkpoint" },
  );
}

/** The checkpoint of `step`. @throws FailureError if it is not whole */
export function loadCheckpointOf(folder: string, step: number): Promise<Checkpoint> {
  return loadCheckpoint(path.join(folder, "checkpoints", nameOf(step)));
}

async function loadCheckpoint(folder: string): Promise<Checkpoint> {
  const damaged = (why: string, cause?: unknown): FailureError =>
    new FailureError(`Cannot use checkpoint "${folder}": ${why}`, { code: "bad_checkpoint", cause });
  let text: string;
  let bytes: Uint8Array;
  try {
    text = await readFile(path.join(folder, "state.json"), "utf8");
    bytes = await readFile(path.join(folder, "state.safetensors"));
  } catch (error) {
    throw damaged(`a file of it cannot be read (${error instanceof Error ? error.message : String(error)})`, error);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw damaged("state.json must be JSON, got something else", error);
  }
  const state = validate(checkpointSchema, json, `use checkpoint "${folder}"`);
  const actual = sha256(bytes);
  if (actual !== state.sha256) {
    throw damaged(`state.safetensors must have sha256 ${state.sha256.slice(0, 12)}..., got ${actual.slice(0, 12)}...`);
  }
  return { state, values: readSafetensors(bytes, path.join(folder, "state.safetensors")) };
}

/** Steps of the complete checkpoints, ascending. */
export async function checkpointSteps(folder: string): Promise<number[]> {
  const names = await readdir(path.join(folder, "checkpoints")).catch(() => []);
  return names
    .map((name) => /^step-(\d{6,})$/.exec(name)?.[1])
    .filter((digits) => digits !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
}

/** Removes what a killed run left half-written or half-deleted. */
export async function removeLeftovers(folder: string): Promise<void> {
  const all = path.join(folder, "checkpoints");
  const names = await readdir(all).catch(() => []);
  for (const name of names.filter((entry) => /^step-\d+\.(tmp|old)$/.test(entry))) {
    await rm(path.join(all, name), { recursive: true, force: true });
  }
}

/** Deleting a folder takes several calls; the rename first makes it look deleted at once. */
async function removeCheckpoint(target: string): Promise<void> {
  const doomed = `${target}.old`;
  await rm(doomed, { recursive: true, force: true });
  try {
    await rename(target, doomed);
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return;
    throw error;
  }
  await rm(doomed, { recursive: true, force: true });
}

function nameOf(step: number): string {
  return `step-${String(step).padStart(6, "0")}`;
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
