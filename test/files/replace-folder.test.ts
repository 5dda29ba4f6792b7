import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { replaceFile } from "../../files/replace-folder.ts";

test("a file that is written by several at once is that of one of them, whole, and nobody fails", async () => {
  const folder = await mkdtemp(path.join(tmpdir(), "cominfo-replace-"));
  const file = path.join(folder, "a".repeat(250)); // a name that leaves no room for a longer one beside it
  await Promise.all([1, 2, 3, 4].map((byte) => replaceFile(file, new Uint8Array(1 << 20).fill(byte))));
  const bytes = await readFile(file);
  expect(bytes.length).toBe(1 << 20);
  expect(new Set(bytes).size).toBe(1);
  expect(await readdir(folder)).toEqual([path.basename(file)]);
  await rm(folder, { recursive: true });
});
