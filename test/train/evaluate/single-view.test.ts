import "../../../export/tfjs-setup.ts";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { migHist20Means } from "../../../information/disentanglement/mig-hist20-means.ts";
import type { Recipe } from "../../../schemas/recipe.ts";
import type { Results } from "../../../schemas/results.ts";
import type { HostTensor } from "../../../schemas/tensor.ts";
import { openSource } from "../../../train/data/open-source.ts";
import { saveCheckpoint } from "../../../train/engine/checkpoint.ts";
import { configurationOf, hashOf } from "../../../train/engine/configuration.ts";
import { openTasks } from "../../../train/evaluate/compile-tasks.ts";
import { encodeImages } from "../../../train/evaluate/encode-images.ts";
import { evaluateRun } from "../../../train/evaluate/evaluate-run.ts";
import { formatTable } from "../../../train/evaluate/format-table.ts";
import { checkModelConfig, familyByName } from "../../../train/models/registry.ts";

/** A run of a very small auto-encoder of one view with random weights, as the engine would leave it. */

const folder = mkdtempSync(path.join(tmpdir(), "cominfo-test-"));
const images = 600; // more than one block
let results: Results;
let recipe: Recipe;
const values = new Map<string, HostTensor>();

beforeAll(async () => {
  recipe = {
    format: 1,
    name: "tiny",
    title: "A tiny run of one view",
    source: "a test",
    family: "disentangle",
    model: {
      image: { size: 32, channels: 1 },
      latents: 3,
      filters: 2,
      objective: "vae",
      noiseCorrelation: 0.5,
      encoder: { kind: "split", branchWidth: 4 },
    },
    data: { source: "dsprites", views: 1, size: 32, scales: 1, orientations: 1, positions: 4 } as Recipe["data"],
    training: { seed: 5, batchSize: 4, steps: 40, microBatch: 0, logEvery: 10, checkpointEvery: 10 },
    evaluation: { pairs: images, classifier: "linear" },
    expected: [{ quantity: "mig-hist20-means", unit: "1", minimum: 0, source: "a test" }],
  };
  checkModelConfig("disentangle", recipe.model, "test");
  await tf.setBackend("cpu");
  for (const [name, variable] of Object.entries(familyByName("disentangle").networks(recipe.model, 9))) {
    const data = Float32Array.from(
      variable.dataSync(),
      (value, i) => value + (name.includes("head") ? Math.sin(i) : 0),
    );
    values.set(name, { dtype: "float32", shape: variable.shape, data });
  }
  tf.disposeVariables();
  writeFileSync(path.join(folder, "recipe.json"), JSON.stringify(recipe));
  const configuration = configurationOf(recipe);
  const head = { steps: 40, phase: "training", seconds: 1, engine: "compiled", device: "cpu", threads: 1 };
  await saveCheckpoint(folder, { ...head, step: 20, configuration, recipeHash: hashOf(configuration) }, values);
  results = await evaluateRun(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const measured = (quantity: string): number => results.figures.find((figure) => figure.quantity === quantity)!.value;

test("an evaluation of one view gives the gap over varied factors, reconstruction in nats, rate in bits", () => {
  expect(results.figures.map(({ quantity, unit }) => [quantity, unit])).toEqual([
    ["mig-hist20-means", "1"],
    ["mig-hist20-means.shape", "1"],
    ["mig-hist20-means.position_x", "1"],
    ["mig-hist20-means.position_y", "1"],
    ["reconstruction", "nats"],
    ["rate", "bits"],
    ["informative_latents", "1"],
  ]);
  expect(results.figures[0]!.met).toBe(true);
  expect(results.data.factors.every(({ role }) => role === "single")).toBe(true);
});

test("its figures are those of the codes, and the error that of a code drawn with the model's own noise", async () => {
  const tasks = await openTasks(recipe, values);
  const encoded = await encodeImages(tasks, openSource(recipe.data), { images, seed: 5 });
  await tasks.close();
  const labelled = (["shape", "position_x", "position_y"] as const).map((name) => ({
    name,
    labels: encoded.labels[name]!,
    classes: name === "shape" ? 3 : 4,
  }));
  expect(measured("mig-hist20-means")).toBe(migHist20Means(encoded.latent.mean, labelled).value);
  const mean = encoded.distortion.reduce((sum, value) => sum + value, 0) / images;
  expect(measured("reconstruction")).toBeCloseTo(mean, 9);
  for (const { quantity, value, interval } of results.figures.filter(({ quantity }) => quantity.startsWith("mig-"))) {
    expect(interval![0], quantity).toBeLessThan(value);
    expect(interval![1], quantity).toBeGreaterThan(value);
  }
  const [m, v] = [Float64Array.from(encoded.latent.mean.values), encoded.latent.logvar.values];
  const nats = m.reduce((sum, x, i) => sum + 0.5 * (x * x + Math.exp(v[i]!) - v[i]! - 1), 0) / images;
  expect(measured("rate")).toBeCloseTo(nats / Math.LN2, 4);
  const interval = results.figures.find(({ quantity }) => quantity === "reconstruction")!.interval!;
  expect(interval[0]).toBeLessThan(mean);
  expect(interval[1]).toBeGreaterThan(mean);
});

test("the report shows each latent against each factor, reconstructions and a traversal of every latent", () => {
  const page = readFileSync(path.join(folder, "report.html"), "utf8");
  expect(page).toContain("What each latent tells of each factor");
  expect(page).toContain("Images and their reconstructions");
  for (let j = 0; j < 3; j++) expect(page).toContain(`<code>latent_${j}</code>`);
  expect(page).toContain("600 fresh images");
  expect(page).not.toContain("exact common information");
  expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
});

test("the closing table of a terminal lists the figures", () => {
  const table = formatTable(results);
  expect(table).toContain("mig-hist20-means");
  expect(table).toContain("reconstruction");
  expect(table).toMatch(/nats/);
  expect(table).not.toContain("linear probe");
});
