import { existsSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { HostTensor } from "../../../schemas/tensor.ts";
import {
  type CheckpointHead,
  checkpointSteps,
  loadLatestCheckpoint,
  removeLeftovers,
  saveCheckpoint,
} from "../../../train/engine/checkpoint.ts";
import { configurationOf, hashOf } from "../../../train/engine/configuration.ts";
import { fullDisk } from "../../files/full-disk.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { toyRecipe } from "./toy-family.ts";

function head(step: number): CheckpointHead {
  const configuration = configurationOf(toyRecipe());
  const recipeHash = hashOf(configuration);
  return {
    step,
    steps: 100,
    phase: "all",
    seconds: 1.5,
    configuration,
    recipeHash,
    engine: "compiled",
    device: "cpu",
    threads: 2,
  };
}

function values(step: number): Map<string, HostTensor> {
  return new Map([
    ["w", { dtype: "float32", shape: [2, 2], data: Float32Array.of(step, 1 / 3, -0, 1e-40) }],
    ["adam.m/w", { dtype: "float32", shape: [], data: Float32Array.of(step / 7) }],
  ]);
}

const silent = (): void => {};

async function saved(...steps: number[]): Promise<string> {
  const folder = temporaryFolder();
  for (const step of steps) await saveCheckpoint(folder, head(step), values(step));
  return folder;
}

const fileOf = (folder: string, step: string, name: string): string => path.join(folder, "checkpoints", step, name);

test("what is saved comes back bit by bit, with the step and configuration it belongs to", async () => {
  const folder = await saved(50);
  const checkpoint = (await loadLatestCheckpoint(folder, silent))!;
  expect(checkpoint.state).toMatchObject(head(50));
  expect([...checkpoint.values.keys()].sort()).toEqual(["adam.m/w", "w"]);
  for (const [name, { data }] of values(50)) expect(checkpoint.values.get(name)!.data).toEqual(data);
});

test("the two newest are kept", async () => {
  const folder = await saved(10, 20, 30, 1_000_000);
  expect(await checkpointSteps(folder)).toEqual([30, 1_000_000]);
  expect(readdirSync(path.join(folder, "checkpoints")).sort()).toEqual(["step-000030", "step-1000000"]);
});

test("a folder without checkpoints has none to load", async () => {
  expect(await loadLatestCheckpoint(temporaryFolder(), silent)).toBeUndefined();
});

test.each([
  [
    "a truncated state.safetensors",
    (file: string) => truncateSync(fileOf(file, "step-000020", "state.safetensors"), 100),
  ],
  ["one flipped bit", (folder: string) => flipLastBit(fileOf(folder, "step-000020", "state.safetensors"))],
  ["a truncated state.json", (folder: string) => truncateSync(fileOf(folder, "step-000020", "state.json"), 30)],
  ["an empty state.json", (folder: string) => writeFileSync(fileOf(folder, "step-000020", "state.json"), "{}")],
])("%s is told, and the checkpoint before is used", async (_what, damage) => {
  const folder = await saved(10, 20);
  damage(folder);
  const warnings: string[] = [];
  const checkpoint = await loadLatestCheckpoint(folder, (text) => warnings.push(text));
  expect(checkpoint!.state.step).toBe(10);
  expect(warnings).toHaveLength(1);
  expect(warnings[0]).toMatch(/^Cannot .*checkpoint .*step-000020.*falling back to the checkpoint before it$/);
});

test("where all are damaged, loading fails and says to start anew", async () => {
  const folder = await saved(10);
  flipLastBit(fileOf(folder, "step-000010", "state.safetensors"));
  await expect(loadLatestCheckpoint(folder, silent)).rejects.toThrow(
    /one checkpoint must be whole, got 1 damaged .*--force/,
  );
});

test("a run that fell back replaces the damaged checkpoint when it comes to its step again", async () => {
  const folder = await saved(10, 20);
  flipLastBit(fileOf(folder, "step-000020", "state.safetensors"));
  await saveCheckpoint(folder, head(20), values(20));
  expect((await loadLatestCheckpoint(folder, silent))!.state.step).toBe(20);
});

test("a full disk is one line, leaves nothing half-written, and keeps the checkpoint before", async () => {
  for (const room of [0, 60, 250, 400]) {
    const folder = await saved(10);
    const attempt = saveCheckpoint(folder, head(20), values(20), { disk: fullDisk(room) });
    await expect(attempt).rejects.toThrow(
      `Cannot save the checkpoint of step 20: folder "${folder}" must have space left, got a full disk; free some`,
    );
    expect(readdirSync(path.join(folder, "checkpoints"))).toEqual(["step-000010"]);
    expect((await loadLatestCheckpoint(folder, silent))!.state.step).toBe(10);
  }
});

test("what a killed process left half-written is no checkpoint, and is removed", async () => {
  const folder = await saved(10);
  for (const name of ["step-000020.tmp", "step-000005.old"]) {
    mkdirSync(path.join(folder, "checkpoints", name));
    writeFileSync(path.join(folder, "checkpoints", name, "state.safetensors"), "half");
  }
  expect((await loadLatestCheckpoint(folder, silent))!.state.step).toBe(10);
  await removeLeftovers(folder);
  expect(readdirSync(path.join(folder, "checkpoints"))).toEqual(["step-000010"]);
  expect(existsSync(fileOf(folder, "step-000010", "state.json"))).toBe(true);
});

function flipLastBit(file: string): void {
  const bytes = readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(file, bytes);
}
