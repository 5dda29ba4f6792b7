import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import * as tf from "@tensorflow/tfjs-core";
import "../../export/tfjs-setup.ts";
import { Command } from "commander";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { createSession } from "../../runtime/create-session.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import type { Results } from "../../schemas/results.ts";
import { readSafetensors } from "../../schemas/safetensors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { addExportCommand, reportTo } from "../../train/commands/export.ts";
import { openSource } from "../../train/data/open-source.ts";
import { saveCheckpoint } from "../../train/engine/checkpoint.ts";
import { configurationOf, hashOf } from "../../train/engine/configuration.ts";
import { exportRun } from "../../train/export-run.ts";
import { checkModelConfig, familyByName } from "../../train/models/registry.ts";
import { stream } from "../../train/random.ts";

/** A run of a very small GK-VAE, as the engine would leave it. */

const model = {
  image: { size: 32, channels: 1 },
  latents: { common: 3, unique: 2 },
  networks: { filters: 2, hidden: 8 },
};
const data = { source: "dsprites", size: 32, common: ["shape"] };
const recipe: Recipe = {
  format: 1,
  name: "tiny",
  title: "A tiny run",
  source: "a test",
  family: "gk-vae",
  model,
  data,
  training: { seed: 5, batchSize: 4, steps: 40, microBatch: 0, logEvery: 10, checkpointEvery: 10 },
  evaluation: { pairs: 100, classifier: "linear" },
  expected: [],
};
checkModelConfig("gk-vae", recipe.model, "test"); // fills in the defaults
const family = familyByName("gk-vae");

let folder: string;
let run: string;
let values: Map<string, HostTensor>;

beforeAll(async () => {
  await tf.setBackend("cpu");
  folder = mkdtempSync(path.join(tmpdir(), "cominfo-export-run-"));
  const networks = family.networks(recipe.model, 99); // another seed than the run's: the values must come from the file
  values = new Map(
    Object.entries(networks).map(([name, variable]) => [
      name,
      { dtype: "float32", shape: variable.shape, data: variable.dataSync().slice() as Float32Array },
    ]),
  );
  tf.disposeVariables();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeEach(async () => {
  run = path.join(folder, "run");
  rmSync(run, { recursive: true, force: true });
  await save(values);
});

async function save(state: ReadonlyMap<string, HostTensor>): Promise<void> {
  mkdirSync(run, { recursive: true });
  writeFileSync(path.join(run, "recipe.json"), JSON.stringify(recipe));
  const configuration = configurationOf(recipe);
  const head = { step: 30, steps: 40, phase: "joint", seconds: 1, engine: "compiled", device: "cpu", threads: 2 };
  await saveCheckpoint(run, { ...head, configuration, recipeHash: hashOf(configuration) }, state);
}

const results = (step: number): Results => ({
  format: 1,
  experiment: "tiny",
  family: "gk-vae",
  seed: 5,
  step,
  steps: 40,
  pairs: 100,
  data: { name: "evaluated", summary: "as evaluated", factors: [], provenance: {} },
  figures: [{ quantity: "usable.shape.common", unit: "bits", value: 1.5, estimator: "probe", n: 20, seed: 5 }],
  created: "2026-01-02T03:04:05.000Z",
  producer: "cominfo 0.0.0",
});

test("exportRun() writes every task of the family with the values of the checkpoint", async () => {
  const out = path.join(folder, "tiny");
  const alive = tf.memory().numTensors;
  const { dir, manifest } = await exportRun({ run, out });
  expect(dir).toBe(out);
  expect(tf.memory().numTensors).toBe(alive);
  expect(Object.keys(manifest.tasks)).toEqual(Object.keys(family.tasks(recipe.model)));
  expect(readdirSync(out).sort()).toEqual(
    [...Object.keys(manifest.tasks), "README.md", "manifest.json", "samples.safetensors.gz"].sort(),
  );
  const { name, title, seed, steps, data, latents, evaluation, producer } = manifest;
  expect({ name, title, seed, steps }).toEqual({ name: "tiny", title: "A tiny run", seed: 5, steps: 30 });
  expect(data.factors.filter((factor) => factor.role === "common").map((factor) => factor.name)).toEqual(["shape"]);
  expect(data.commonInformationBits).toBeCloseTo(Math.log2(3), 12);
  expect(latents[0]).toEqual({ name: "common", dimensions: ["common_0", "common_1", "common_2"] });
  expect(evaluation).toEqual([]);
  expect(producer).toMatch(/^cominfo \d/);
  expect(manifest.parameters).toBe([...values.values()].reduce((sum, value) => sum + value.data.length, 0));

  const pixels = Uint8Array.from({ length: 2 * 32 * 32 }, (_, i) => (i * 37) % 256);
  const session = await createSession(path.join(out, "encode_1/1/model.onnx"));
  const { common_mean: actual } = await session.run({
    view_1: { dtype: "uint8", shape: [2, 32, 32, 1], data: pixels },
  });
  await session.release();
  const networks = family.networks(recipe.model, 99);
  const view = tf.tensor(Int32Array.from(pixels), [2, 32, 32, 1], "int32");
  const expected = family.tasks(recipe.model).encode_1!.run(networks, { view_1: view }).common_mean!.dataSync();
  tf.disposeVariables();
  for (const [i, value] of expected.entries()) expect((actual!.data as Float32Array)[i]).toBeCloseTo(value, 5);
});

test("exportRun() takes figures and data from results.json of the same step", async () => {
  writeFileSync(path.join(run, "results.json"), JSON.stringify(results(30)));
  const { manifest } = await exportRun({ run, out: path.join(folder, "figures"), tasks: ["encode_1"] });
  expect(manifest.evaluation).toEqual(results(30).figures);
  expect(manifest.data.name).toBe("evaluated");
  expect(Object.keys(manifest.tasks)).toEqual(["encode_1"]);
});

test("exportRun() leaves out figures of another step, and says so", async () => {
  writeFileSync(path.join(run, "results.json"), JSON.stringify(results(20)));
  const warnings: string[] = [];
  const { manifest } = await exportRun({
    run,
    out: path.join(folder, "stale"),
    tasks: ["encode_1"],
    warn: (message) => warnings.push(message),
  });
  expect(manifest.evaluation).toEqual([]);
  expect(warnings).toEqual([
    expect.stringMatching(/results.json" are of step 20 and the newest checkpoint is of step 30: they are left out/),
  ]);
});

test("exportRun() brings a sample of pairs with their labels, the same for the same seed", async () => {
  const out = path.join(folder, "sampled");
  const { manifest } = await exportRun({ run, out, tasks: ["encode_1"], samples: 6 });
  expect(manifest.samples).toEqual({ file: "samples.safetensors.gz", pairs: 6 });
  const bytes = readFileSync(path.join(out, "samples.safetensors.gz"));
  expect(manifest.files["samples.safetensors.gz"]).toBe(createHash("sha256").update(bytes).digest("hex"));
  const sample = readSafetensors(gunzipSync(bytes), "the sample");
  const drawn = openSource({ ...data }).draw(6, stream(5, "sample", "pairs"));
  expect(sample.get("view_1")).toEqual(drawn.tensors.view_1);
  expect(sample.get("view_2")).toEqual(drawn.tensors.view_2);
  expect(sample.get("label_1/shape")?.data).toEqual(sample.get("label_2/shape")?.data); // shape is common
  expect(sample.get("label_1/scale")?.data).toEqual(drawn.labels[0].scale);

  const bare = await exportRun({ run, out, tasks: ["encode_1"], samples: 0 });
  expect(bare.manifest.samples).toBeUndefined();
  expect(readdirSync(out)).not.toContain("samples.safetensors.gz");
});

test("exportRun() says in one line what is wrong with a run, a task, a name or a checkpoint", async () => {
  const out = path.join(folder, "wrong");
  await expect(exportRun({ run: path.join(folder, "nowhere"), out })).rejects.toThrow(/must hold a recipe.json/);
  await expect(exportRun({ run, out, tasks: ["encode_3"] })).rejects.toThrow(
    /Cannot export task "encode_3": it must be one of .*, did you mean "encode(_\d)?"\?/,
  );
  await expect(exportRun({ run, out: path.join(folder, "Mine!") })).rejects.toThrow(
    /name of a bundle must be small letters, digits and -, got "Mine!"/,
  );
  await expect(exportRun({ run, out, name: "other" })).rejects.toThrow(/must bear the name of the bundle, "other"/);
  writeFileSync(path.join(run, "results.json"), "{");
  await expect(exportRun({ run, out })).rejects.toThrow(/results.json": it must be JSON/);
  rmSync(path.join(run, "results.json"));
  const [first = ""] = values.keys();
  await save(new Map([...values].filter(([name]) => name !== first)));
  await expect(exportRun({ run, out })).rejects.toThrow(
    new RegExp(`Cannot export step 30: variable "${first}" must be float32 \\[.*\\], got nothing`),
  );
  expect(readdirSync(folder)).not.toContain("wrong");
});

test("`cominfo export` writes the bundle that its flags ask for", async () => {
  const program = new Command().exitOverride();
  addExportCommand(program);
  const out = path.join(folder, "by-flags");
  await program.parseAsync(["export", run, "--out", out, "--task", "encode_1", "--task", "decode", "--quiet"], {
    from: "user",
  });
  expect(readdirSync(out).sort()).toEqual([
    "README.md",
    "decode",
    "encode_1",
    "manifest.json",
    "samples.safetensors.gz",
  ]);
});

test("the progress of an export is one line a task, and on a terminal tells the stage", () => {
  const log = (isTTY: boolean): string => {
    let text = "";
    const report = reportTo({ isTTY, write: (part: string) => (text += part) });
    for (const stage of ["trace", "parity", "done"] as const) report({ task: "encode", index: 1, count: 2, stage });
    return text;
  };
  expect(log(false)).toBe("[1/2] encode: done\n");
  expect(log(true)).toContain("encode: comparing with tfjs and WASM");
});
