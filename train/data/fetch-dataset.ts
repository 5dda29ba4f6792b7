import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import type { PublicDataset, PublicFile } from "./catalogue.ts";

/** Longest silence of a server before its mirror counts as failed. */
const SILENCE_MS = 60_000;

export interface FetchedFile {
  readonly name: string;
  /** `kept`: it was there and good. `replaced`: it was there with another md5. */
  readonly outcome: "kept" | "fetched" | "replaced";
}

/**
 * Brings every file of `dataset` into `folder`. A file that is there with the right md5 is kept. Others are written
 * under a temporary name, checked, synced and only then renamed: the folder never shows a file that is not good.
 *
 * @param onBytes called as bytes of a file arrive, with their number so far
 * @throws UsageError if `folder` cannot be a folder; FailureError if no mirror gives a good file (says why for each)
 */
export async function fetchDataset(
  dataset: PublicDataset,
  folder: string,
  onBytes: (file: PublicFile, received: number) => void = () => {},
): Promise<FetchedFile[]> {
  const action = `fetch data set "${dataset.name}"`;
  await makeFolder(folder, action);
  const results: FetchedFile[] = [];
  for (const file of dataset.files) {
    const target = join(folder, file.name);
    const present = await md5Of(target, action);
    if (present !== file.md5) {
      await fetchFile(file, { target, mirrors: dataset.mirrors, action, onBytes });
    }
    const outcome = present === undefined ? "fetched" : present === file.md5 ? "kept" : "replaced";
    results.push({ name: file.name, outcome });
  }
  return results;
}

async function makeFolder(folder: string, action: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (cause) {
    throw new UsageError(`Cannot ${action}: "${folder}" must be a folder or a new name, got ${reason(cause)}`, {
      code: "bad_output",
      cause,
    });
  }
}

async function fetchFile(
  file: PublicFile,
  {
    target,
    mirrors,
    action,
    onBytes,
  }: {
    target: string;
    mirrors: readonly string[];
    action: string;
    onBytes: (file: PublicFile, received: number) => void;
  },
): Promise<void> {
  const faults: string[] = [];
  const temporary = `${target}.${process.pid}.part`;
  try {
    for (const mirror of mirrors) {
      const fault = await download(`${mirror}${file.name}`, file, {
        temporary,
        action,
        onBytes: (received) => onBytes(file, received),
      });
      if (fault === undefined) return await rename(temporary, target);
      faults.push(`${mirror}: ${fault}`);
    }
  } finally {
    await rm(temporary, { force: true });
  }
  throw new FailureError(
    `Cannot ${action}: "${file.name}" must come with md5 ${file.md5} from one of ${mirrors.length} mirrors, got ${faults.join("; ")}: check the network, or put the file into place by hand`,
    { code: "fetch_failed" },
  );
}

/** Returns what was wrong with this mirror, or nothing. A fault of our own disk is thrown: no mirror can help. */
async function download(
  url: string,
  file: PublicFile,
  { temporary, action, onBytes }: { temporary: string; action: string; onBytes: (received: number) => void },
): Promise<string | undefined> {
  const disk = await open(temporary, "w").catch((cause: unknown) => {
    throw diskFault(temporary, action, cause);
  });
  const abort = new AbortController();
  let silence = setTimeout(() => abort.abort(), SILENCE_MS);
  try {
    const response = await fetch(url, { signal: abort.signal });
    if (!response.ok || response.body === null) return `status ${response.status}`;
    const hash = createHash("md5");
    let received = 0;
    for await (const chunk of response.body) {
      clearTimeout(silence);
      silence = setTimeout(() => abort.abort(), SILENCE_MS);
      received += chunk.length;
      if (received > file.bytes) return `more than ${file.bytes} bytes`;
      hash.update(chunk);
      await disk.writeFile(chunk).catch((cause: unknown) => {
        throw diskFault(temporary, action, cause);
      });
      onBytes(received);
    }
    if (received < file.bytes) return `${received} of ${file.bytes} bytes`;
    const md5 = hash.digest("hex");
    if (md5 !== file.md5) return `md5 ${md5}`;
    await disk.sync();
    return undefined;
  } catch (cause) {
    if (cause instanceof FailureError) throw cause;
    return abort.signal.aborted ? `no answer for ${SILENCE_MS / 1000} s` : reason(cause);
  } finally {
    clearTimeout(silence);
    await disk.close();
  }
}

/** md5 of a file, or nothing if there is none. */
async function md5Of(path: string, action: string): Promise<string | undefined> {
  try {
    if ((await stat(path)).isDirectory()) {
      throw new UsageError(`Cannot ${action}: "${path}" must be a file, got a folder`, { code: "bad_output" });
    }
    const hash = createHash("md5");
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer);
    return hash.digest("hex");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    if (cause instanceof UsageError) throw cause;
    throw new FailureError(`Cannot ${action}: "${path}" must be readable, got ${reason(cause)}`, {
      code: "unreadable",
      cause,
    });
  }
}

function diskFault(path: string, action: string, cause: unknown): FailureError {
  return new FailureError(`Cannot ${action}: "${path}" must be writable, got ${reason(cause)}`, {
    code: "disk",
    cause,
  });
}

/** The innermost cause of a failed request says more than "fetch failed". */
function reason(error: unknown): string {
  const { message, cause } = error as Error;
  if (cause instanceof Error && cause.message !== "") return cause.message;
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  return code ?? message;
}
