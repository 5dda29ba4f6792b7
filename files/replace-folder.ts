import { randomUUID } from "node:crypto";
import { mkdir, readdir, readlink, realpath, rename, rm } from "node:fs/promises";
import path from "node:path";
import { FailureError } from "../schemas/errors.ts";
import { diskReasons, realDisk, syncFolder } from "./disk.ts";

/** Files by path relative to the folder, with `/`. */
export type FolderContents = ReadonlyMap<string, Uint8Array>;

/**
 * Puts `contents` at `folder` as a whole: a reader sees the old folder or the new one, and after a failure nothing of
 * the new one is left. A link stays, and the folder it leads to is the one replaced. Everything is written and synced
 * under a hidden name beside it (`.<name>.tmp-<pid>`, which servers of the parent folder pass over) and renamed.
 *
 * @throws FailureError when the disk is full or the place cannot be written
 */
export async function replaceFolder(folder: string, contents: FolderContents): Promise<void> {
  const target = await behindLinks(path.resolve(folder)).catch((error: unknown) => {
    throw diskFailure(folder, error);
  });
  const parent = path.dirname(target);
  const temporary = besides(target, "tmp", process.pid);
  const old = besides(target, "old", process.pid);
  try {
    await mkdir(parent, { recursive: true });
    await removeLeftovers(target);
    for (const [name, bytes] of contents) await writeSynced(path.join(temporary, ...name.split("/")), bytes);
    await syncFolders(temporary);
    const hadOld = await renameIfThere(target, old);
    try {
      await rename(temporary, target);
    } catch (error) {
      if (hadOld) await rename(old, target);
      throw error;
    }
    await syncFolder(parent);
    await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined); // the first error is the one to tell
    throw diskFailure(folder, error);
  }
}

/** Puts one file in place as a whole. @throws FailureError when the disk is full or the place cannot be written */
export async function replaceFile(file: string, bytes: Uint8Array): Promise<void> {
  const target = path.resolve(file);
  // No name from the process's number: two containers on one disk have the same, and would write into one file.
  const temporary = path.join(path.dirname(target), `.${randomUUID()}.tmp`);
  try {
    await writeSynced(temporary, bytes);
    await rename(temporary, target);
    await syncFolder(path.dirname(target));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw diskFailure(file, error);
  }
}

/**
 * Where a link leads, also one to what is not there: it may be that a killed process had moved it aside.
 *
 * @throws what Node says of links that lead in a circle
 */
async function behindLinks(place: string): Promise<string> {
  try {
    return await realpath(place);
  } catch (error) {
    if (codeOf(error) === "ELOOP") throw error;
  }
  const link = await readlink(place).catch(() => undefined);
  if (link === undefined) return place; // nothing there: who writes it says what is wrong with the way to it
  return behindLinks(path.resolve(await realpath(path.dirname(place)), link));
}

const besides = (target: string, kind: "tmp" | "old", pid: number): string =>
  path.join(path.dirname(target), `.${path.basename(target)}.${kind}-${pid}`);

/** What killed processes left: half-written folders go; a folder that was moved away and not yet replaced returns. */
async function removeLeftovers(target: string): Promise<void> {
  const parent = path.dirname(target);
  const names = await readdir(parent);
  for (const name of names) {
    const left = name.startsWith(`.${path.basename(target)}.`)
      ? /\.(tmp|old)-(\d+)$/.exec(name.slice(path.basename(target).length + 1))
      : null;
    if (left === null || isAlive(Number(left[2]))) continue;
    const isLost = left[1] === "old" && !names.includes(path.basename(target));
    if (isLost) await rename(path.join(parent, name), target);
    else await rm(path.join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return false; // this process has finished or failed its earlier writes
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === "EPERM";
  }
}

async function renameIfThere(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

async function writeSynced(file: string, bytes: Uint8Array): Promise<void> {
  await mkdir(path.dirname(file), { recursive: true });
  await realDisk.write(file, bytes);
}

/** Makes the names inside `folder` and all folders below it survive a power cut. */
async function syncFolders(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) await syncFolders(path.join(folder, entry.name));
  }
  await syncFolder(folder);
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

function diskFailure(target: string, error: unknown): unknown {
  const why: Record<string, string> = {
    ...diskReasons,
    // What Node says of a folder to be made on a read-only file system, too.
    ENOENT: "must be in a folder that is there or can be made, got neither: what should hold it is read-only",
    ENOTDIR: "must be in a folder, got a file on the way to it",
    EEXIST: "must be in a folder, got a file on the way to it",
    EISDIR: "must be a file, got a folder",
    ELOOP: "must be in a folder, got links that lead in a circle",
  };
  const known = why[codeOf(error)];
  if (known === undefined) return error;
  return new FailureError(`Cannot write "${target}": it ${known}`, {
    code: codeOf(error).toLowerCase(),
    cause: error,
  });
}
