import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { hashFiles } from "../../../serve/score/hash-inputs.ts";

test("the hash of a long file is given up at once when its run has ended", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "cominfo-hash-"));
  const file = path.join(folder, "sparse");
  await writeFile(file, "");
  await truncate(file, 2 ** 38); // minutes of reading; no byte of it is on the disk
  const hashes = hashFiles([file], AbortSignal.timeout(100));
  await expect(hashes).rejects.toThrow("aborted");
  await rm(folder, { recursive: true });
});
