import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { expect, test } from "vitest";
import { lockFolder } from "../../../train/engine/lock.ts";
import { temporaryFolder } from "./temporary-folder.ts";

function held(folder: string): { pid: number; host: string; began: string; token: string } {
  return JSON.parse(readFileSync(path.join(folder, "lock.json"), "utf8"));
}

test("a second one is refused and told the process, until the first releases", () => {
  const folder = temporaryFolder();
  const release = lockFolder(folder);
  expect(() => lockFolder(folder)).toThrow(
    `Cannot train into "${folder}": the folder must be free, got one in use by process ${process.pid};`,
  );
  release();
  expect(readdirSync(folder)).toEqual([]);
  lockFolder(folder)();
});

test("the lock of a dead process is taken over", () => {
  const folder = temporaryFolder();
  const { pid } = spawnSync(process.execPath, ["-e", ""]);
  writeFileSync(path.join(folder, "lock.json"), JSON.stringify({ pid, host: hostname(), began: "1", token: "x" }));
  const release = lockFolder(folder);
  expect(held(folder).pid).toBe(process.pid);
  release();
  expect(readdirSync(folder)).toEqual([]);
});

test.runIf(existsSync("/proc/self/stat"))("so is one whose number now belongs to another process", () => {
  const folder = temporaryFolder();
  const stale = { pid: process.pid, host: hostname(), began: "1", token: "x" };
  writeFileSync(path.join(folder, "lock.json"), JSON.stringify(stale));
  lockFolder(folder)();
});

test("the lock of another machine cannot be judged and is respected", () => {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, "lock.json"), JSON.stringify({ pid: 1, host: "elsewhere", began: "1", token: "x" }));
  expect(() => lockFolder(folder)).toThrow("in use by process 1 on elsewhere");
  expect(held(folder).host).toBe("elsewhere");
});

test("a damaged lock file is taken over", () => {
  const folder = temporaryFolder();
  writeFileSync(path.join(folder, "lock.json"), "{");
  lockFolder(folder)();
  expect(readdirSync(folder)).toEqual([]);
});

test("releasing leaves alone a lock that has passed to somebody else", () => {
  const folder = temporaryFolder();
  const release = lockFolder(folder);
  writeFileSync(path.join(folder, "lock.json"), JSON.stringify({ ...held(folder), token: "theirs" }));
  release();
  expect(held(folder).token).toBe("theirs");
});
