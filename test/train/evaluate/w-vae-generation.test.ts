import { expect, test } from "vitest";
import type { Figure } from "../../../schemas/manifest.ts";
import type { HostTensor } from "../../../schemas/tensor.ts";
import type { Minibatch, PairSource } from "../../../train/data/pair-source.ts";
import type { CompiledTasks } from "../../../train/evaluate/compile-tasks.ts";
import type { OpenJudge } from "../../../train/evaluate/open-judge.ts";
import { generationQuantities, measureGeneration } from "../../../train/evaluate/w-vae-generation.ts";
import type { TaskSpec } from "../../../train/models/family.ts";
import type { Random } from "../../../train/random.ts";

/**
 * Images of one row of two pixels that say everything: the first is 20 times the digit, the second is style 0 to 9.
 * Against them a model can be made whose every figure is known.
 */
const imageOf = (rows: readonly (readonly [digit: number, style: number])[]): HostTensor => ({
  dtype: "uint8",
  shape: [rows.length, 1, 2, 1],
  data: Uint8Array.from(rows.flatMap(([digit, style]) => [20 * digit, style])),
});
/** As generating tasks return images: intensity 0..1. */
const drawn = (rows: Parameters<typeof imageOf>[0]): HostTensor => {
  const { shape, data } = imageOf(rows);
  return { dtype: "float32", shape, data: Float32Array.from(data as Uint8Array, (value) => value / 255) };
};
const read = ({ dtype, data, shape }: HostTensor) => {
  const value = (i: number): number => Math.round(Number(data[i]) * (dtype === "float32" ? 255 : 1));
  return Array.from({ length: shape[0]! }, (_, i) => [value(2 * i) / 20, value(2 * i + 1)] as const);
};
const after = (digit: number): number => (digit + 1) % 10;

const source: PairSource = {
  description: { name: "made", summary: "", views: [], factors: [], provenance: {} },
  draw(size: number, random: Random): Minibatch {
    const rows = Array.from({ length: size }, (_, i) => [i % 10, random.integer(10), random.integer(10)] as const);
    const label = Int32Array.from(rows, ([digit]) => digit);
    return {
      tensors: {
        view_1: imageOf(rows.map(([digit, one]) => [digit, one])),
        view_2: imageOf(rows.map(([digit, , two]) => [after(digit), two])),
      },
      labels: [{ label }, { label }],
    };
  },
};

const judge: OpenJudge = {
  async judge(images) {
    const rows = read(images);
    return {
      classes: Int32Array.from(rows, ([digit]) => digit),
      features: { rows: rows.length, columns: 1, values: Float32Array.from(rows, ([, style]) => style) },
    };
  },
  close: async () => {},
};

const spec = (inputs: Record<string, number>): TaskSpec => ({
  description: "",
  inputs: Object.fromEntries(
    Object.entries(inputs).map(([name, size]) => [
      name,
      { shape: ["batch", size], dtype: "float32" as const, description: "" },
    ]),
  ),
  outputs: {},
  run: () => ({}),
});

/**
 * Errs in every fourth picture, or where it draws an unlikely common code; draws style by the sign of its noise, and
 * keeps the style it is given.
 */
function modelOf({ errors = false, doubts = false }: { errors?: boolean; doubts?: boolean }): CompiledTasks {
  const spoil = (digit: number, i: number): number => (errors && i % 4 === 0 ? (digit + 5) % 10 : digit);
  const fromNoise = (noise: HostTensor, i: number): number => (Number(noise.data[i]) > 0 ? 9 : 0);
  return {
    specs: {
      joint: spec({ noise_common: 1 }),
      conditional_1to2: spec({ view_1: 2, noise_common: 1, noise_unique_2: 1 }),
      conditional_2to1: spec({ view_2: 2, noise_unique_1: 1 }),
      style_transfer_1: spec({ view_1: 2, view_2: 2 }),
      style_transfer_2: spec({ view_1: 2, view_2: 2 }),
    },
    async run(name, inputs): Promise<Record<string, HostTensor>> {
      if (name === "joint") {
        const rows = Array.from({ length: inputs.noise_common!.shape[0]! }, (_, i) => i % 10);
        return {
          view_1: drawn(rows.map((digit) => [digit, 3])),
          view_2: drawn(rows.map((digit, i) => [spoil(after(digit), i), 3])),
        };
      }
      if (name === "conditional_1to2") {
        const rows = read(inputs.view_1!);
        const code = (digit: number, i: number): number =>
          doubts && Number(inputs.noise_common!.data[i]) > 0 ? (digit + 1) % 10 : spoil(digit, i);
        return {
          view_2: drawn(rows.map(([digit], i) => [code(after(digit), i), fromNoise(inputs.noise_unique_2!, i)])),
        };
      }
      if (name === "conditional_2to1") {
        return { view_1: drawn(read(inputs.view_2!).map(([digit]) => [(digit + 9) % 10, 4])) };
      }
      const [first, second] = [read(inputs.view_1!), read(inputs.view_2!)];
      if (name === "style_transfer_1") {
        const rows = first.map(([, style], i) => [spoil((second[i]![0] + 9) % 10, i), style] as const);
        return { styled_view_1: drawn(rows) };
      }
      return { styled_view_2: drawn(second.map(([, style], i) => [after(first[i]![0]), style])) };
    },
    load: async () => {},
    close: async () => {},
  };
}

const images = 100;
const measured = async (faults: Parameters<typeof modelOf>[0] = {}): Promise<Record<string, Figure>> => {
  const figures = await measureGeneration({
    tasks: modelOf(faults),
    judge,
    source,
    images,
    seed: 1,
    onProgress() {},
  });
  return Object.fromEntries(figures.map((figure) => [figure.quantity, figure]));
};

test("a model that always draws the right digit has no label error, and every figure is there", async () => {
  const figures = await measured();
  expect(Object.keys(figures).sort()).toEqual([...generationQuantities].sort());
  for (const [name, { value }] of Object.entries(figures)) if (name.startsWith("label_error")) expect(value).toBe(0);
});

test("a model that errs in every fourth picture has label errors of 1/4 in the tasks that err", async () => {
  const figures = await measured({ errors: true });
  for (const name of ["joint", "style_transfer"]) expect(figures[`label_error.${name}`]!.value).toBeCloseTo(0.25, 12);
  expect(figures["label_error.conditional"]!.value).toBeCloseTo(0.25, 1); // blocks of 16 images x 30 draws begin anew
  for (const name of ["test_images", "conditional_2to1", "style_transfer_2"]) {
    expect(figures[`label_error.${name}`]!.value).toBe(0);
  }
});

test("the likeliest common code does not err where only the drawing of codes does", async () => {
  const figures = await measured({ doubts: true });
  expect(figures["label_error.conditional"]!.value).toBeGreaterThan(0.4);
  expect(figures["label_error.conditional_likeliest"]!.value).toBe(0);
});

test("variability is the variance of the draws over that of real images of one class", async () => {
  const figures = await measured();
  // draws are 0 or 9 with equal chances, variance 20.25; real styles are uniform over 0..9, variance 8.25
  expect(figures["style.variability"]!.value).toBeGreaterThan(2.1);
  expect(figures["style.variability"]!.value).toBeLessThan(3);
  expect(figures["style.variability_2to1"]!.value).toBeCloseTo(0, 6);
});

test("what the unique code varies is told apart from what the doubt about the common code does", async () => {
  const [sure, doubtful] = [await measured(), await measured({ doubts: true })];
  expect(sure["style.variability_unique"]!.value).toBeCloseTo(sure["style.variability"]!.value, 1);
  expect(doubtful["style.variability"]!.value).toBeGreaterThan(2 * doubtful["style.variability_unique"]!.value);
  expect(doubtful["style.variability_unique"]!.value).toBe(sure["style.variability_unique"]!.value);
});

test("style is consistent where the styled image keeps the trait it was given", async () => {
  const figures = await measured();
  // not quite 1: ten images of a class have not quite the same mean in the two orders
  expect(figures["style.consistency.ink"]!.value).toBeGreaterThan(0.8);
});

test("the Frechet distance of drawn styles from real ones is that of their means and variances", async () => {
  const figures = await measured();
  const { value } = figures["frechet.joint"]!;
  // one feature: drawn always 3; real uniform over 0..9, mean 4.5 and variance 8.25, on a hundred images
  expect(value).toBeGreaterThan(6);
  expect(value).toBeLessThan(16);
});

test("a task that a model does not have leaves its figures out", async () => {
  const model = modelOf({});
  const specs = { conditional_1to2: model.specs.conditional_1to2! };
  const figures = await measureGeneration({
    tasks: { ...model, specs },
    judge,
    source,
    images,
    seed: 1,
    onProgress() {},
  });
  expect(figures.map(({ quantity }) => quantity)).toEqual([
    "label_error.test_images",
    "label_error.conditional",
    "style.variability",
    "frechet.conditional",
    "label_error.conditional_likeliest",
    "style.variability_unique",
  ]);
});
