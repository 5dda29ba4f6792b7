import { mkdir, mkdtemp, readdir, readFile, readlink, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { replaceFile, replaceFolder } from "../../files/replace-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), "cominfo-replace-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

test("a file that is written by several at once is that of one of them, whole, and nobody fails", async () => {
  const file = path.join(folder, "a".repeat(250)); // a name that leaves no room for a longer one beside it
  await Promise.all([1, 2, 3, 4].map((byte) => replaceFile(file, new Uint8Array(1 << 20).fill(byte))));
  const bytes = await readFile(file);
  expect(bytes.length).toBe(1 << 20);
  expect(new Set(bytes).size).toBe(1);
  expect(await readdir(folder)).toEqual([path.basename(file)]);
});

const contents = new Map([["deep/er/new", new Uint8Array([1])]]);
/** Paths of files below the folder of the test. */
const files = async (): Promise<string[]> =>
  (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .sort();

test("a link to a folder stays, and the folder it leads to is replaced in one step", async () => {
  await mkdir(path.join(folder, "disk/real"), { recursive: true });
  await writeFile(path.join(folder, "disk/real/older"), "");
  await mkdir(path.join(folder, "models"));
  const link = path.join(folder, "models/link");
  await symlink("../disk/real", link);
  const again = path.join(folder, "again");
  await symlink(link, again);
  for (const place of [link, again, `${link}/`]) {
    await replaceFolder(place, contents);
    expect(await readlink(link)).toBe("../disk/real");
    expect(await readlink(again)).toBe(link);
    expect(await files()).toEqual(["again", "disk/real/deep/er/new", "models/link"]);
  }
});

test("a link to what is not there stays, and what it leads to is made, or brought back from a killed process", async () => {
  const link = path.join(folder, "link");
  await symlink("disk/real", link);
  await replaceFolder(link, contents);
  expect(await files()).toEqual(["disk/real/deep/er/new", "link"]);
  const dead = 2 ** 22 + 1; // above the largest process number of Linux
  await rename(path.join(folder, "disk/real"), path.join(folder, `disk/.real.old-${dead}`));
  await replaceFolder(link, new Map([["newer", new Uint8Array([2])]]));
  expect(await files()).toEqual(["disk/real/newer", "link"]);
  expect(await readlink(link)).toBe("disk/real");
});

test("links that lead in a circle are refused in one line", async () => {
  await symlink("b", path.join(folder, "a"));
  await symlink("a", path.join(folder, "b"));
  await expect(replaceFolder(path.join(folder, "a"), contents)).rejects.toThrow(
    /^Cannot write ".*a": it must be in a folder, got links that lead in a circle$/,
  );
  expect(await files()).toEqual(["a", "b"]);
});
