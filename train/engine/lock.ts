import { randomUUID } from "node:crypto";
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { FailureError } from "../../schemas/errors.ts";

interface Holder {
  readonly pid: number;
  readonly host: string;
  /** When the process began, in the kernel's own units: tells it from a later one with the same number. */
  readonly began: string;
  readonly token: string;
}

export interface Lock {
  /** Of the file that says so. */
  readonly name: string;
  /** What is refused while another process holds it. */
  readonly action: string;
}

const ofRun: Lock = { name: "lock.json", action: "train into" };

/**
 * Takes the folder, that of a run unless `lock` says otherwise, for this process. A lock of a dead process is taken over.
 *
 * @returns releases the lock
 * @throws FailureError that names the process in whose use the folder is
 */
export function lockFolder(folder: string, lock = ofRun): () => void {
  const file = path.join(folder, lock.name);
  const own: Holder = { pid: process.pid, host: hostname(), began: beginningOf(process.pid), token: randomUUID() };
  if (!claim(file, own)) {
    removeStale(file, requireUnlocked(folder, lock));
    if (!claim(file, own)) throw inUse(folder, lock, holderOf(file));
  }
  return () => {
    if (holderOf(file)?.token === own.token) rmSync(file, { force: true });
  };
}

/**
 * @returns the dead process that holds it still, if there is one
 * @throws FailureError that names the process in whose use the folder is
 */
export function requireUnlocked(folder: string, lock: Lock): Holder | undefined {
  const holder = holderOf(path.join(folder, lock.name));
  if (holder !== undefined && isAlive(holder)) throw inUse(folder, lock, holder);
  return holder;
}

/** Whether a process trains into the folder of a run, as far as can be known from here. */
export function isInUse(folder: string): boolean {
  const holder = holderOf(path.join(folder, ofRun.name));
  return holder !== undefined && isAlive(holder);
}

function inUse(folder: string, { name, action }: Lock, holder: Holder | undefined): FailureError {
  const who = holder === undefined ? "another process" : `process ${holder.pid}`;
  const where = holder === undefined || holder.host === hostname() ? "" : ` on ${holder.host}`;
  return new FailureError(
    `Cannot ${action} "${folder}": the folder must be free, got one in use by ${who}${where}; use another --out, or delete ${path.join(folder, name)} if that process is gone`,
    { code: "folder_in_use" },
  );
}

/** A file appears under its name with its contents, or not at all: `link` refuses an existing name. */
function claim(file: string, own: Holder): boolean {
  const temporary = `${file}.${own.token}`;
  writeFileSync(temporary, JSON.stringify(own));
  try {
    linkSync(temporary, file);
    return true;
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EEXIST") return false;
    throw error;
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Takes away the stale lock and no other: the name may have been taken over by a faster process since it was read. */
function removeStale(file: string, stale: Holder | undefined): void {
  const aside = `${file}.${randomUUID()}`;
  try {
    renameSync(file, aside);
  } catch {
    return; // the faster process has removed it
  }
  const moved = holderOf(aside);
  if (moved?.token === stale?.token) rmSync(aside, { force: true });
  else renameSync(aside, file);
}

function holderOf(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as Holder;
  } catch {
    return undefined; // gone, or not ours
  }
}

function isAlive({ pid, host, began }: Holder): boolean {
  if (host !== hostname()) return true; // cannot be known from here
  try {
    process.kill(pid, 0);
  } catch (error) {
    return error instanceof Error && "code" in error && error.code === "EPERM";
  }
  return beginningOf(pid) === began;
}

/** Field 22 of /proc/<pid>/stat on Linux; empty elsewhere, where process numbers are not reused so soon. */
function beginningOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "";
  } catch {
    return "";
  }
}
