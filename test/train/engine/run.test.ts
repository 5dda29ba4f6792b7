import "../../../export/tfjs-setup.ts";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { expect, test } from "vitest";
import { readSafetensors } from "../../../schemas/safetensors.ts";
import { runTraining, type TrainingRequest, type TrainingResult } from "../../../train/engine/run.ts";
import type { ModelFamily } from "../../../train/models/family.ts";
import { fullDisk } from "../../files/full-disk.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { toyFamily, toyRecipe, toySource } from "./toy-family.ts";

const family = toyFamily as ModelFamily<unknown>;

function train(outDir: string, more: Partial<TrainingRequest> = {}): Promise<TrainingResult> {
  return runTraining({ recipe: toyRecipe(), family, source: toySource, outDir, device: "cpu", threads: 1, ...more });
}

/** Signal that aborts as soon as the run has done `step`. */
function stopAt(step: number): Pick<TrainingRequest, "signal" | "onProgress"> {
  const controller = new AbortController();
  return {
    signal: controller.signal,
    onProgress: (progress) => {
      if (progress.step === step) controller.abort();
    },
  };
}

const folder = (): string => path.join(temporaryFolder(), "run");
const text = (outDir: string, name: string): string => readFileSync(path.join(outDir, name), "utf8");
const status = (outDir: string) => JSON.parse(text(outDir, "run.json")) as Record<string, unknown>;
const checkpoints = (outDir: string): string[] => readdirSync(path.join(outDir, "checkpoints")).sort();

/** Values of the newest checkpoint, as the very bytes of its file. */
function stateOf(outDir: string): Buffer {
  return readFileSync(path.join(outDir, "checkpoints", checkpoints(outDir).at(-1)!, "state.safetensors"));
}

/** Lines without what depends on the clock. */
function metricsOf(outDir: string): unknown[] {
  const lines = text(outDir, "metrics.jsonl").trim().split("\n");
  return lines.map((line) => ({ ...JSON.parse(line), seconds: 0, examplesPerSecond: 0 }));
}

test("a run leaves its recipe, metrics, the two last checkpoints and its status, and no lock", async () => {
  const outDir = folder();
  const alive = tf.memory().numTensors;
  const result = await train(outDir);
  expect(result).toMatchObject({ status: "finished", step: 40, steps: 40, device: "cpu", outDir });
  expect(readdirSync(outDir).sort()).toEqual(["checkpoints", "metrics.jsonl", "recipe.json", "run.json"]);
  expect(checkpoints(outDir)).toEqual(["step-000030", "step-000040"]);
  expect(JSON.parse(text(outDir, "recipe.json"))).toEqual(toyRecipe());
  expect(status(outDir)).toMatchObject({ format: 1, status: "finished", step: 40, engine: "compiled", device: "cpu" });
  const lines = metricsOf(outDir) as { step: number; terms: Record<string, number> }[];
  expect(lines.map(({ step }) => step)).toEqual([1, 5, 10, 15, 20, 25, 30, 35, 40]);
  expect(lines.at(-1)!.terms).toEqual(result.terms);
  expect(lines.at(-1)!.terms.loss!).toBeLessThan(0.5 * lines[0]!.terms.loss!);
  expect(tf.memory().numTensors).toBe(alive);
});

test.each([
  ["compiled", "one-phase", 20],
  ["compiled", "two-phases", 7], // in the middle of the first phase
  ["compiled", "two-phases", 10], // on the border: the next phase begins with fresh slots
  ["compiled", "two-phases", 13],
  ["compiled", "two-players", 23],
  ["eager", "two-phases", 13],
] as const)(
  "%s, %s: stopped after step %i and resumed, it ends with the same bytes as left alone",
  async (engine, kind, step) => {
    const recipe = toyRecipe({}, { kind });
    const [whole, broken] = [folder(), folder()];
    await train(whole, { recipe, engine });
    const first = await train(broken, { recipe, engine, ...stopAt(step) });
    expect(first).toMatchObject({ status: "interrupted", step });
    expect(status(broken)).toMatchObject({ status: "interrupted", step });
    const second = await train(broken, { recipe, engine, resume: true });
    expect(second).toMatchObject({ status: "finished", step: 40 });
    expect(stateOf(broken).equals(stateOf(whole))).toBe(true);
    expect(metricsOf(broken)).toEqual(metricsOf(whole));
  },
);

test("a phase trains its own variables only, and the next goes on from there", async () => {
  const outDir = folder();
  const read = () => readSafetensors(stateOf(outDir), "state");
  const recipe = toyRecipe({}, { kind: "two-phases" });
  await train(outDir, { recipe, ...stopAt(10) });
  const between = read();
  await train(outDir, { recipe, resume: true });
  const end = read();
  expect(end.get("decoder.kernel")!.data).toEqual(between.get("decoder.kernel")!.data);
  expect(end.get("encoder.kernel")!.data).not.toEqual(between.get("encoder.kernel")!.data);
  expect([...between.keys()].filter((name) => name.startsWith("adam.")).sort()[0]).toBe("adam.m/decoder.bias");
  expect([...end.keys()].filter((name) => name.startsWith("adam.")).sort()[0]).toBe("adam.m/encoder.bias");
});

test("a finished run of one phase is made longer by resuming it with more steps", async () => {
  const [whole, grown] = [folder(), folder()];
  await train(whole);
  await train(grown, { recipe: toyRecipe({ steps: 25 }) });
  await train(grown, { resume: true });
  expect(stateOf(grown).equals(stateOf(whole))).toBe(true);
  const again = await train(grown, { resume: true });
  expect(again).toMatchObject({ status: "finished", step: 40, terms: {} });
});

test("a term that is not finite stops the run by name, and the last good checkpoint stays", async () => {
  const outDir = folder();
  const recipe = toyRecipe({}, { explodeAt: 26 });
  await expect(train(outDir, { recipe })).rejects.toThrow(
    'Cannot go on training at step 27: term "loss" of phase "all" must be finite, got Infinity; the checkpoint of step 20 is kept; try a smaller learning rate',
  );
  expect(checkpoints(outDir)).toEqual(["step-000010", "step-000020"]);
  expect(status(outDir)).toMatchObject({ status: "failed", step: 20 });
  expect(String(status(outDir).error)).toContain('term "loss"');
  expect(metricsOf(outDir)).toHaveLength(6); // steps 1, 5, ... 25
  expect(existsSync(path.join(outDir, "lock.json"))).toBe(false);
});

test("variables that an update has broken are not saved, though all terms were finite", async () => {
  const outDir = folder();
  // The step's loss is finite, its update overflows: learning rate 1e39 is Infinity in float32.
  const recipe = toyRecipe({ steps: 1 }, { learningRate: 1e39 });
  await expect(train(outDir, { recipe })).rejects.toThrow(
    /^Cannot go on training at step 1: variable ".*" must be finite after the update, got values that are not; no checkpoint was due yet/,
  );
  expect(existsSync(path.join(outDir, "checkpoints"))).toBe(false);
});

test("a full disk is one line; what was saved before stays good, and the run can go on", async () => {
  const [whole, outDir] = [folder(), folder()];
  await train(whole);
  const attempt = train(outDir, { disk: fullDisk(9000) });
  await expect(attempt).rejects.toThrow(/must have space left, got a full disk; free some$/);
  const steps = checkpoints(outDir);
  expect(steps.every((name) => /^step-\d{6}$/.test(name))).toBe(true);
  expect(steps).not.toEqual([]);
  await train(outDir, { resume: true });
  expect(stateOf(outDir).equals(stateOf(whole))).toBe(true);
  expect(metricsOf(outDir)).toEqual(metricsOf(whole));
});

test("a disk that is full from the start leaves no folder behind", async () => {
  const outDir = folder();
  await expect(train(outDir, { disk: fullDisk(10) })).rejects.toThrow(`Cannot write recipe.json: folder "${outDir}"`);
  expect(existsSync(outDir)).toBe(false);
});

test("a damaged newest checkpoint is passed over with a warning; the run ends as if nothing had happened", async () => {
  const [whole, outDir] = [folder(), folder()];
  await train(whole);
  await train(outDir, stopAt(25));
  writeFileSync(path.join(outDir, "checkpoints", "step-000025", "state.safetensors"), "damage");
  const lines: string[] = [];
  await train(outDir, { resume: true, log: (line) => lines.push(line) });
  expect(lines[0]).toMatch(/step-000025.*must have sha256 .* falling back/);
  expect(lines[1]).toBe("Resuming from step 20");
  expect(stateOf(outDir).equals(stateOf(whole))).toBe(true);
  expect(metricsOf(outDir)).toEqual(metricsOf(whole));
});

test("a checkpoint of another configuration is refused by field, and nothing of it is touched", async () => {
  const outDir = folder();
  await train(outDir, stopAt(15));
  const [before, recipe] = [stateOf(outDir), text(outDir, "recipe.json")];
  await expect(train(outDir, { recipe: toyRecipe({ seed: 8 }), resume: true })).rejects.toThrow(
    `Cannot resume "${outDir}": training.seed must be 7 as in its checkpoint, got 8; use another --out, or --force to start anew`,
  );
  expect(stateOf(outDir).equals(before)).toBe(true);
  expect(text(outDir, "recipe.json")).toBe(recipe);
});

test("a folder with a run needs --resume or --force; force starts anew and takes old results away", async () => {
  const outDir = folder();
  await train(outDir, stopAt(15));
  writeFileSync(path.join(outDir, "results.json"), "{}");
  await expect(train(outDir)).rejects.toThrow(
    `Cannot train into "${outDir}": a run is there already; continue it with --resume, start anew with --force, or choose another --out`,
  );
  const result = await train(outDir, { recipe: toyRecipe({ seed: 8, steps: 10 }), force: true });
  expect(result).toMatchObject({ status: "finished", step: 10 });
  expect(checkpoints(outDir)).toEqual(["step-000010"]);
  expect(existsSync(path.join(outDir, "results.json"))).toBe(false);
});

test("a run that --force would replace stays as it was when the new one never does a step", async () => {
  const outDir = folder();
  await train(outDir, stopAt(15));
  writeFileSync(path.join(outDir, "results.json"), "{}");
  const before = [readdirSync(outDir).sort(), text(outDir, "metrics.jsonl"), stateOf(outDir)];
  const now = () => [readdirSync(outDir).sort(), text(outDir, "metrics.jsonl"), stateOf(outDir)];
  await expect(train(outDir, { force: true, device: "cuda" })).rejects.toThrow("Cannot start device cuda");
  expect(now()).toEqual(before);
  await train(outDir, { force: true, signal: AbortSignal.abort() });
  expect(now()).toEqual(before);
});

test("a run set aside by a process that was killed before its first step is there again for the next one", async () => {
  const [outDir, aside] = [folder(), path.join(temporaryFolder(), "replaced")];
  await train(outDir, stopAt(15));
  renameSync(outDir, aside); // what `--force` leaves in that moment: the old run in `replaced`, a new recipe beside it
  mkdirSync(outDir);
  renameSync(aside, path.join(outDir, "replaced"));
  writeFileSync(path.join(outDir, "recipe.json"), JSON.stringify(toyRecipe({ seed: 9 })));
  await expect(train(outDir)).rejects.toThrow("a run is there already");
  await expect(train(outDir, { resume: true })).resolves.toMatchObject({ status: "finished", step: 40 });
  expect(JSON.parse(text(outDir, "recipe.json"))).toEqual(toyRecipe());
  expect(existsSync(path.join(outDir, "replaced"))).toBe(false);
});

test("an error while a batch is drawn is the one that is told, and the engine's thread ends", async () => {
  const outDir = folder();
  let draws = 0;
  const source: typeof toySource = {
    ...toySource,
    draw(...request) {
      if (++draws === 5) throw new Error("cannot read pair 5");
      return toySource.draw(...request);
    },
  };
  await expect(train(outDir, { source })).rejects.toThrow("cannot read pair 5");
  expect(status(outDir)).toMatchObject({ status: "failed", error: "cannot read pair 5" });
  await expect(train(outDir, { force: true })).resolves.toMatchObject({ status: "finished" });
});

test("resuming where no run is, and training among somebody's files, are refused", async () => {
  const outDir = folder();
  await expect(train(outDir, { resume: true })).rejects.toThrow("it must hold a run, got none; leave out --resume");
  mkdirSync(outDir);
  writeFileSync(path.join(outDir, "thesis.tex"), "");
  for (const force of [false, true]) {
    await expect(train(outDir, { force })).rejects.toThrow('it must be empty or hold a run, got "thesis.tex"');
  }
  expect(readdirSync(outDir)).toEqual(["thesis.tex"]);
});

test("a folder in use is refused by the process that uses it; its run goes on", async () => {
  const outDir = folder();
  const refused: unknown[] = [];
  const first = train(outDir, {
    onProgress: ({ step }) => {
      if (step === 3) train(outDir, { resume: true }).catch((error: unknown) => refused.push(error));
    },
  });
  await expect(first).resolves.toMatchObject({ status: "finished" });
  expect(String(refused[0])).toContain(`in use by process ${process.pid}`);
});

test("stopped before its first step, a new run leaves nothing behind", async () => {
  const outDir = folder();
  const result = await train(outDir, { signal: AbortSignal.abort() });
  expect(result).toMatchObject({ status: "interrupted", step: 0 });
  expect(existsSync(outDir)).toBe(false);
});

test("a device that does not start is one line that says what to do, and leaves nothing behind", async () => {
  const outDir = folder();
  await expect(train(outDir, { device: "cuda" })).rejects.toThrow(
    /^Cannot start device cuda: .*use --device webgpu or cpu/,
  );
  expect(existsSync(outDir)).toBe(false);
});

test("going on with another engine or thread count is said, for the last bits will differ", async () => {
  const outDir = folder();
  await train(outDir, stopAt(15));
  const lines: string[] = [];
  await train(outDir, { resume: true, engine: "eager", log: (line) => lines.push(line) });
  expect(lines).toEqual([
    "Resuming from step 15 on other terms (engine compiled before, eager now; threads 1 before, 0 now): the values will differ in their last bits",
  ]);
});
