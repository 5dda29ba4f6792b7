import { readFile } from "node:fs/promises";
import path from "node:path";
import { FailureError } from "../schemas/errors.ts";
import { type Manifest, manifestSchema, type TaskVersion } from "../schemas/manifest.ts";
import { validate } from "../schemas/validate.ts";

/** What a new state of a bundle takes over from the one in its place. */
export interface KeptVersions {
  /** Number of a task's next version. */
  next(task: string): string;
  /** Versions of a task that stay, the newest first. */
  earlier(task: string): TaskVersion[];
  /** Their files, by path in the bundle. */
  readonly contents: ReadonlyMap<string, Uint8Array>;
}

/**
 * @param dir a bundle, or nothing
 * @param keep how many earlier versions of each task stay; 0: none, and numbers start at 1
 * @throws FailureError or UsageError when the old bundle cannot be read
 */
export async function keepVersions(
  dir: string,
  { tasks, keep }: { tasks: readonly string[]; keep: number },
): Promise<KeptVersions> {
  const old = keep === 0 ? undefined : await readManifest(dir);
  const versions = new Map<string, TaskVersion[]>();
  for (const task of tasks) {
    const entry = old?.tasks[task];
    if (entry === undefined) continue;
    const { earlier = [], ...newest } = entry;
    versions.set(task, [newest, ...earlier].slice(0, keep));
  }
  const contents = new Map<string, Uint8Array>();
  for (const { file } of [...versions.values()].flat()) contents.set(file, await read(path.join(dir, file)));
  return {
    next: (task) => String(Math.max(0, ...(versions.get(task) ?? []).map(({ version }) => Number(version))) + 1),
    earlier: (task) => versions.get(task) ?? [],
    contents,
  };
}

async function readManifest(dir: string): Promise<Manifest | undefined> {
  const file = path.join(dir, "manifest.json");
  const text = await readFile(file, "utf8").catch(() => undefined);
  return text === undefined ? undefined : validate(manifestSchema, JSON.parse(text), `read ${file}`);
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file);
  } catch (cause) {
    throw new FailureError(`Cannot keep earlier version "${file}": ${(cause as Error).message}`, { cause });
  }
}
