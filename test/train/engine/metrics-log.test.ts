import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { metricsLineSchema } from "../../../schemas/run-status.ts";
import { validate } from "../../../schemas/validate.ts";
import { openMetricsLog } from "../../../train/engine/metrics-log.ts";
import { fullDisk } from "../../files/full-disk.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const line = (step: number) => ({ step, phase: "all", terms: { loss: 1 / step }, seconds: step, examplesPerSecond: 8 });

function stepsIn(folder: string): number[] {
  const text = readFileSync(path.join(folder, "metrics.jsonl"), "utf8");
  expect(text === "" || text.endsWith("\n")).toBe(true);
  const lines = text.split("\n").slice(0, -1);
  return lines.map((json) => validate(metricsLineSchema, JSON.parse(json), "read a line").step);
}

async function write(folder: string, after: number, steps: number[]): Promise<void> {
  const log = await openMetricsLog(folder, after);
  for (const step of steps) await log.write(line(step));
  await log.close();
}

test("one JSON line a logged step", async () => {
  const folder = temporaryFolder();
  await write(folder, 0, [1, 5, 10]);
  expect(stepsIn(folder)).toEqual([1, 5, 10]);
});

test("on resume, lines after the checkpoint's step are dropped", async () => {
  const folder = temporaryFolder();
  await write(folder, 0, [1, 5, 10, 15]);
  await write(folder, 10, [15, 20]);
  expect(stepsIn(folder)).toEqual([1, 5, 10, 15, 20]);
  expect(readdirSync(folder)).toEqual(["metrics.jsonl"]);
});

test.each(['{"step":5,"phase":"al', '{"step":5}\n{"st\n', "garbage\n", "\0\0\0"])(
  "a line cut short by a killed process is dropped (%j)",
  async (tail) => {
    const folder = temporaryFolder();
    await write(folder, 0, [1, 2]);
    const file = path.join(folder, "metrics.jsonl");
    writeFileSync(file, readFileSync(file, "utf8") + tail);
    await write(folder, 4, [5]);
    expect(stepsIn(folder)).toEqual([1, 2, 5]);
  },
);

test("a full disk is one line and leaves no half of one in the file", async () => {
  const folder = temporaryFolder();
  const log = await openMetricsLog(folder, 0, fullDisk(150));
  await log.write(line(1));
  await expect(log.write(line(2))).rejects.toThrow(
    /^Cannot log step 2: folder ".*" must have space left, got a full disk/,
  );
  await log.close();
  expect(stepsIn(folder)).toEqual([1]);
});
