import { mkdtemp, rm } from "node:fs/promises";
import { getPriority, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, expect, test } from "vitest";
import { openRepository } from "../../../serve/engine/bundle-files.ts";
import { WorkerProcess } from "../../../serve/engine/worker-process.ts";
import { typescriptOptions } from "../client.ts";
import { identity, writeTinyBundle } from "../tiny-bundle.ts";

process.env.NODE_OPTIONS = typescriptOptions; // for the worker processes

let worker: WorkerProcess | undefined;
const folders: string[] = [];
afterEach(async () => {
  await worker?.stop(0);
  worker = undefined;
  await Promise.all(folders.splice(0).map((folder) => rm(folder, { recursive: true })));
});

/** A process with the model `y[n] = x[n]`. */
async function start(niceness: number): Promise<WorkerProcess> {
  const repository = await mkdtemp(path.join(tmpdir(), "cominfo-worker-"));
  folders.push(repository);
  await writeTinyBundle(path.join(repository, "tiny"), { f: identity("float32") });
  const files = await (await openRepository(repository)).read("tiny");
  const spec = files.tasks[0]!.versions[0]!;
  const { sha256, inputs, outputs } = spec;
  const models = [{ id: "f", file: files.pathOf(spec), sha256, inputs, outputs }];
  worker = await WorkerProcess.start({ device: "cpu", threads: 1, niceness, models }, () => undefined);
  return worker;
}

function run(process: WorkerProcess, values: readonly number[]): Promise<number[]> {
  const x = { dtype: "float32" as const, shape: [values.length], pieces: [Float32Array.from(values)] };
  return process
    .run({ model: "f", inputs: { x }, outputs: ["y"] })
    .then(({ outputs }) => [...(outputs.y!.data as Float32Array)]);
}

test("batches that are given to a worker while it computes are answered with their own rows, two at once and no more", async () => {
  const process = await start(0);
  const batches = Array.from({ length: 20 }, (_, index) => new Array(1 + ((index * 37) % 11)).fill(index));
  const answers: Promise<number[]>[] = [];
  for (const [index, values] of batches.entries()) {
    await answers[index - 2];
    answers.push(run(process, values));
  }
  expect(() => run(process, [1])).toThrow("a worker takes 2 at once, got one more");
  expect(await Promise.all(answers)).toEqual(batches);
});

test("a worker that is told to stop answers what it was given before it ends", async () => {
  const process = await start(0);
  const answers = [run(process, [1]), run(process, [2, 3])];
  await process.stop(60_000);
  expect(await Promise.all(answers)).toEqual([[1], [2, 3]]);
  expect(process.alive).toBe(false);
});

test("a worker stands back behind the server by its niceness", async () => {
  const process = await start(7);
  expect(getPriority(process.pid)).toBe(Math.min(19, getPriority() + 7));
});
