import { constants } from "node:fs";
import { type FileHandle, open, rename, rm } from "node:fs/promises";
import path from "node:path";
import { FailureError } from "../schemas/errors.ts";

/** The writes of a run, replaceable so that tests can fill the disk. */
export interface Disk {
  /** Writes a whole file and returns when its bytes are on the medium. */
  write(file: string, bytes: Uint8Array): Promise<void>;
  append(handle: FileHandle, bytes: Uint8Array): Promise<void>;
}

export const realDisk: Disk = {
  async write(file, bytes) {
    const handle = await open(file, "w");
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  append: (handle, bytes) => handle.writeFile(bytes),
};

/** Replaces `file` as a whole: temporary name, fsync, rename, fsync of the folder. A reader sees the old or the new. */
export async function replaceFile(disk: Disk, file: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${file}.tmp`;
  try {
    await disk.write(temporary, bytes);
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(path.dirname(file));
}

/** Makes renames inside `folder` survive a power cut. */
export async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return; // a folder cannot be opened there, and renames are journaled
  const handle = await open(folder, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** What the disk itself says, by Node's code. */
export const diskReasons: Readonly<Record<string, string>> = {
  ENOSPC: "must have space left, got a full disk; free some",
  EDQUOT: "must have space left, got an exhausted quota; free some",
  EACCES: "must be writable, got no permission",
  EPERM: "must be writable, got no permission",
  EROFS: "must be writable, got a read-only file system",
};

/** Turns what the file system says into one line; anything that is not about the disk stays as it is. */
export function diskFailure(action: string, folder: string, error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const why: Record<string, string> = {
    ...diskReasons,
    // What Node says of a folder to be made on a read-only file system, too.
    ENOENT: "must be there or possible to make, got neither: it was removed, or what should hold it is read-only",
    ENOTDIR: "must be a folder, got something else on the way to it",
    EEXIST: "must be a folder, got a file",
  };
  const known = why[code];
  return known === undefined
    ? error
    : new FailureError(`Cannot ${action}: folder "${folder}" ${known}`, { code: code.toLowerCase(), cause: error });
}
