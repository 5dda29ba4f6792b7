import { createReadStream, existsSync } from "node:fs";
import { realpath, rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { createInterface } from "node:readline";

/**
 * Takes away the pictures of a list that a run has written, and folders that are empty then. What else lies in a folder
 * is somebody's own.
 *
 * @param folder in which the paths of the list are
 * @param spared real paths of folders that are left as they are
 */
export async function removeListedPictures(list: string, folder: string, spared: ReadonlySet<string>): Promise<void> {
  if (!existsSync(list)) return;
  const isSpared = new Map<string, boolean>();
  for await (const line of createInterface({ input: createReadStream(list) })) {
    for (const [output, file] of picturesOf(line)) {
      const own = path.join(folder, output);
      if (!isSpared.has(output)) isSpared.set(output, spared.has(await realpath(own).catch(() => own)));
      if (!isSpared.get(output)) await rm(path.join(own, file), { force: true });
    }
  }
  for (const [output, left] of isSpared) {
    if (!left) await rmdir(path.join(folder, output)).catch(() => undefined); // it holds something else, or is gone
  }
}

/** Output and file of each `"bright": "bright/a.png"`: nothing else is a run's, and no path leads out of the folder. */
function picturesOf(line: string): [output: string, file: string][] {
  return Object.entries(parsed(line)).flatMap(([output, value]): [string, string][] => {
    const [folder, file, ...rest] = typeof value === "string" ? value.split("/") : [];
    const isOurs = folder === output && file !== undefined && rest.length === 0;
    return isOurs && isName(output) && isName(file) && file.endsWith(".png") ? [[output, file]] : [];
  });
}

const isName = (text: string): boolean => /^[^./\\][^/\\]*$/.test(text);

/** A file that a person put there need not be JSON. */
function parsed(line: string): object {
  try {
    return Object(JSON.parse(line)) as object;
  } catch {
    return {};
  }
}
