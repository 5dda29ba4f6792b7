import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import { Command } from "commander";
import { afterAll, expect, test } from "vitest";
import { createSession } from "../../runtime/create-session.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import { readSafetensors } from "../../schemas/safetensors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { type TrainingStep, trainingStepSchema } from "../../schemas/training-step.ts";
import { validate } from "../../schemas/validate.ts";
import { addExportStepCommand } from "../../train/commands/export-step.ts";
import { openSource } from "../../train/data/open-source.ts";
import { createBatches } from "../../train/engine/batches.ts";
import { createEagerEngine } from "../../train/engine/eager-engine.ts";
import { buildStep } from "../../train/engine/step.ts";
import { exportStep } from "../../train/export-step.ts";
import type { ModelFamily } from "../../train/models/family.ts";
import { checkModelConfig, familyByName } from "../../train/models/registry.ts";

/** The files of a training step, run as their contract says, against the eager engine. */

const data = { source: "dsprites", size: 32, common: ["shape"] };
const recipe: Recipe = {
  format: 1,
  name: "tiny",
  title: "A tiny step",
  source: "a test",
  family: "gk-vae",
  model: {
    image: { size: 32, channels: 1 },
    latents: { common: 3, unique: 2 },
    networks: { filters: 2, hidden: 8 },
    matchingRampSteps: 4,
    learningRateEnd: 0.5,
  },
  data,
  training: { seed: 5, batchSize: 4, steps: 6, microBatch: 0, logEvery: 1, checkpointEvery: 6 },
  evaluation: { pairs: 100, classifier: "linear" },
  expected: [],
};
checkModelConfig("gk-vae", recipe.model, "test"); // fills in the defaults
const family = familyByName("gk-vae");
const source = openSource({ ...recipe.data });
const folder = mkdtempSync(path.join(tmpdir(), "cominfo-export-step-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const read = (file: string): Buffer => readFileSync(path.join(folder, "step", file));

test("a step that is run as training.json says gives the losses of the eager engine", async () => {
  await exportStep({ recipe, family, source, outDir: path.join(folder, "step"), pairs: 10 });
  const about: TrainingStep = validate(trainingStepSchema, JSON.parse(read("training.json").toString("utf8")), "read");
  expect(readdirSync(path.join(folder, "step", "tasks")).sort()).toEqual(
    Object.keys(family.tasks(recipe.model))
      .map((name) => `${name}.onnx`)
      .sort(),
  );
  const start = readSafetensors(gunzipSync(read(about.start.file)), "start");
  const draw = createBatches({
    source,
    inputs: about.step.batch,
    noise: family.noise(recipe.model, 4),
    seed: 5,
    batchSize: 4,
  });

  const networks = family.networks(recipe.model, 5);
  const program = buildStep({
    phase: family.phases(recipe.model)[0]!,
    networks,
    inputs: family.inputs(recipe.model),
    noise: family.noise(recipe.model, 4),
    batchSize: 4,
    microBatch: 0,
    phaseSteps: 6,
  });
  const eager = createEagerEngine(program);
  const scalar = (value: number): HostTensor => ({ dtype: "float32", shape: [], data: Float32Array.of(value) });

  const session = await createSession(new Uint8Array(read(about.step.file)), { threads: 1 });
  const state = new Map(about.step.state.map(({ name }) => [name, start.get(`state/${name}`)!]));
  for (let step = 1; step <= 3; step++) {
    const feeds: Record<string, HostTensor> = { ...draw(step) } as Record<string, HostTensor>;
    for (const [name, { data }] of start) {
      if (name.startsWith("schedule/")) feeds[name.slice("schedule/".length)] = scalar(Number(data[step - 1]));
    }
    for (const { name, input } of about.step.state) if (input !== undefined) feeds[input] = state.get(name)!;
    const outputs = await session.run(
      Object.fromEntries(Object.entries(feeds).filter(([name]) => about.step.inputs.includes(name))),
    );
    for (const { name, output } of about.step.state) if (output !== undefined) state.set(name, outputs[output]!);
    const scalars = Object.entries(program.scalars(step - 1)).map(([name, value]) => [name, scalar(value)] as const);
    const expected = await eager.step({ ...draw(step), ...Object.fromEntries(scalars) });
    for (const [name, value] of Object.entries(expected)) {
      expect(Math.abs(Number(outputs[name]!.data[0]) - value), name).toBeLessThan(1e-4 * (1 + Math.abs(value)));
    }
  }
  await session.release();
  program.dispose();
  for (const variable of Object.values(networks)) variable.dispose();
});

test("a folder that holds something else is not replaced, an exported step is", async () => {
  const outDir = path.join(folder, "thesis");
  mkdirSync(outDir);
  writeFileSync(path.join(outDir, "chapter-1.txt"), "years of work");
  const request = { recipe, family, source, outDir, pairs: 10 };
  await expect(exportStep(request)).rejects.toThrow(
    `Cannot export to "${outDir}": it must be an exported step or empty, got a folder with "chapter-1.txt"`,
  );
  expect(readFileSync(path.join(outDir, "chapter-1.txt"), "utf8")).toBe("years of work");
  await expect(exportStep({ ...request, outDir: path.join(outDir, "chapter-1.txt") })).rejects.toThrow(
    "it must be a folder, got a file",
  );
  const again = { ...request, outDir: path.join(folder, "step") };
  await exportStep(again);
  await expect(exportStep(again)).resolves.toMatchObject({ name: "tiny" });
});

test("a family that trains in several phases is refused, by name", async () => {
  const [phase] = family.phases(recipe.model);
  const two: ModelFamily<unknown> = { ...family, phases: () => [phase!, phase!] };
  await expect(exportStep({ recipe, family: two, source, outDir: folder, pairs: 1 })).rejects.toThrow(
    'Cannot export the training step of "tiny": its family must train in one phase, got 2',
  );
});

test("the verb refuses more pairs than one file holds, before it reads the recipe", async () => {
  const program = new Command().exitOverride();
  addExportStepCommand(program);
  const words = ["export-step", "no-such-recipe", "--out", "nowhere", "--pairs", "100000"];
  await expect(program.parseAsync(words, { from: "user" })).rejects.toThrow(
    'Cannot export the step: --pairs must be a whole number from 1 to 99999, got "100000"',
  );
});
