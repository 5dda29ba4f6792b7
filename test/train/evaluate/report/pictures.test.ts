import { decode } from "fast-png";
import { afterAll, expect, test } from "vitest";
import type { HostTensor } from "../../../../schemas/tensor.ts";
import { openSource } from "../../../../train/data/open-source.ts";
import { type CompiledTasks, openTasks } from "../../../../train/evaluate/compile-tasks.ts";
import { encodePairs } from "../../../../train/evaluate/encode-pairs.ts";
import { measure } from "../../../../train/evaluate/measure.ts";
import { dimensionRates } from "../../../../train/evaluate/report/dimension-rates.ts";
import { drawPictures } from "../../../../train/evaluate/report/pictures.ts";
import { drawTiles, thumbnail, tilesOf } from "../../../../train/evaluate/report/tiles.ts";
import { familyByName } from "../../../../train/models/registry.ts";
import { stream } from "../../../../train/random.ts";
import { plantedEncoder, plantedFactors, plantedSource } from "../planted-pairs.ts";
import { tinyRecipe, tinyRun } from "../tiny-run.ts";

const recipe = tinyRecipe();
const { values } = await tinyRun(recipe);
const source = openSource(recipe.data);
const blocks = familyByName("gk-vae").latents(recipe.model);
const tasks = await openTasks(recipe, values);
const model = { tasks, blocks, priors: {}, rates: [], seed: 5 };
afterAll(() => tasks.close());

function only(...names: readonly string[]): CompiledTasks {
  return { ...tasks, specs: Object.fromEntries(names.map((name) => [name, tasks.specs[name]!])) };
}

test("views that are not images give no pictures", async () => {
  expect(await drawPictures(plantedSource, model)).toBeUndefined();
});

test("a family that lacks a task lacks its part, and no task is run for it", async () => {
  const nothing = await drawPictures(source, { ...model, tasks: only("encode") });
  expect(nothing).toEqual({ crossViews: [], styleTransfers: [] });
  const some = await drawPictures(source, { ...model, tasks: only("conditional_2to1", "style_transfer_1") });
  expect(some!.crossViews.map(({ given, wanted }) => [given, wanted])).toEqual([[2, 1]]);
  expect(some!.styleTransfers.map(({ style }) => style)).toEqual([1]);
  expect(some!.reconstructions).toBeUndefined();
  expect(some!.traversals).toBeUndefined();
});

test("a picture of a traversal is what decode makes of that code", async () => {
  const prior = { mean: [0.5, -1], logvar: [0, Math.log(4)] };
  const { traversals } = (await drawPictures(source, { ...model, priors: { common: prior } }))!;
  const { range } = traversals!;
  const walk = traversals!.prior.find(({ dimension }) => dimension === "common_1")!;
  expect(walk.steps).toHaveLength(range.length);
  // Step 0 stands two standard deviations (of 2) below the mean -1; dimension 0 at its mean; the unique ones at 0.
  const code = { common: [0.5, -1 + 2 * range[0]!], unique_1: [0], unique_2: [0] };
  const inputs = Object.entries(code).map(([name, data]) => [
    name,
    { dtype: "float32", shape: [1, data.length], data: Float32Array.from(data) } as const,
  ]);
  const wanted = await tasks.run("decode", Object.fromEntries(inputs));
  for (const view of [0, 1] as const) {
    const [tile] = tilesOf(wanted[`view_${view + 1}`]!)!;
    const off = tile!.data.map((value, i) => Math.abs(value - walk.steps[0]![view].data[i]!));
    expect(Math.max(...off)).toBeLessThanOrEqual(1); // a batch of another size may round otherwise
  }
});

test("style transfer repeats contents down and styles across; the diagonal is each pair's own", async () => {
  const { styleTransfers } = (await drawPictures(source, model))!;
  const views = source.draw(6, stream(5, "report", "pairs")).tensors;
  const own = tilesOf((await tasks.run("style_transfer_2", views)).styled_view_2!)!;
  const { rows, styles, content } = styleTransfers.find(({ style }) => style === 2)!;
  expect(content).toBe(1);
  for (const [i, row] of rows.entries()) {
    expect(row.content).toEqual(tilesOf(views.view_1!)![i]);
    expect(styles[i]).toEqual(tilesOf(views.view_2!)![i]);
    const off = row.styled[i]!.data.map((value, at) => Math.abs(value - own[i]!.data[at]!));
    expect(Math.max(...off)).toBeLessThanOrEqual(1);
  }
});

test("rates by dimension add up to the figures of their blocks, learned priors or not", async () => {
  const two = ["0", "1"] as const;
  const planted = (["common", "unique_1", "unique_2"] as const).map((name) => ({ name, dimensions: two }));
  const encoded = await encodePairs(plantedEncoder({ shift: 0.5 }), plantedSource, { pairs: 200, seed: 3 });
  for (const priors of [{}, { common: { mean: [0.3, -0.2], logvar: [0.5, -0.5] } }]) {
    const figures = measure(encoded, { seed: 3, factors: plantedFactors, priors });
    const rates = dimensionRates(encoded.codes, planted, priors);
    const sum = (block: string, encoder?: number) =>
      rates
        .filter((rate) => rate.block === block && rate.encoder === encoder)
        .reduce((total, { bits }) => total + bits, 0);
    const figure = (name: string) => figures.find(({ quantity }) => quantity === name)!.value;
    expect(sum("common", 1)).toBeCloseTo(figure("rate.common"), 9);
    expect(sum("common", 2)).toBeCloseTo(figure("rate.common_2"), 9);
    expect(sum("unique_1")).toBeCloseTo(figure("rate.unique_1"), 9);
    expect(sum("unique_2")).toBeCloseTo(figure("rate.unique_2"), 9);
    expect(figure("rate.common_2")).not.toBeCloseTo(figure("rate.common"), 2);
  }
});

test("of many dimensions the ten of the highest rate are walked, in order, and the others are named", async () => {
  const names = Array.from({ length: 12 }, (_, j) => `common_${j}`);
  const dimensions = { common: names, unique_1: ["unique_1_0"], unique_2: ["unique_2_0"] };
  const zeros = (...shape: number[]): HostTensor => {
    return { dtype: "float32", shape, data: new Float32Array(shape.reduce((product, size) => product * size, 1)) };
  };
  const planted: CompiledTasks = {
    specs: { encode: tasks.specs.encode!, decode: tasks.specs.decode! },
    async run(name, inputs) {
      const rows = Object.values(inputs)[0]!.shape[0]!;
      if (name === "decode") return { view_1: zeros(rows, 2, 2, 1), view_2: zeros(rows, 2, 2, 1) };
      return Object.fromEntries(
        Object.entries(dimensions).map(([block, { length }]) => [`${block}_mean`, zeros(rows, length)]),
      );
    },
    load: async () => {},
    close: async () => {},
  };
  const wide = blocks.map(({ name }) => ({ name, dimensions: dimensions[name as keyof typeof dimensions] }));
  const rates = names.map((dimension, j) => ({
    block: "common" as const,
    dimension,
    bits: j === 3 || j === 8 ? 0 : 1,
  }));
  const { traversals } = (await drawPictures(source, { ...model, tasks: planted, blocks: wide, rates }))!;
  expect(traversals!.leftOut).toEqual(["common_3", "common_8"]);
  const walked = traversals!.posterior.filter(({ block }) => block === "common").map(({ dimension }) => dimension);
  expect(walked).toEqual(names.filter((_, j) => j !== 3 && j !== 8));
});

test("drawTiles() keeps colours and order of non-square tiles", () => {
  const data = Float32Array.from({ length: 2 * 2 * 3 * 3 }, (_, i) => i / 35);
  const tiles = tilesOf({ dtype: "float32", shape: [2, 2, 3, 3], data })!;
  const { png, width, height } = drawTiles([tiles]);
  const read = decode(png);
  expect([width, height, read.width, read.height, read.channels]).toEqual([7, 2, 7, 2, 3]);
  const pixel = (x: number, y: number) => [...read.data.subarray((y * 7 + x) * 3, (y * 7 + x) * 3 + 3)];
  const intensity = (i: number) => Math.round((255 * i) / 35);
  expect(pixel(2, 1)).toEqual([15, 16, 17].map(intensity)); // tile 0, row 1, column 2
  expect(pixel(4, 0)).toEqual([18, 19, 20].map(intensity)); // tile 1, row 0, column 0
  expect(pixel(3, 0)).toEqual([128, 128, 128]);
  expect(tilesOf({ dtype: "float32", shape: [2, 4], data: new Float32Array(8) })).toBeUndefined();
});

test("thumbnail() takes means of four pixels in each channel, and leaves small and odd images alone", () => {
  const data = Uint8Array.from({ length: 50 * 60 * 3 }, (_, i) => (i * 7) % 251);
  const small = thumbnail({ height: 50, width: 60, channels: 3, data });
  expect([small.height, small.width, small.data.length]).toEqual([25, 30, 25 * 30 * 3]);
  const at = (y: number, x: number, c: number) => data[(y * 60 + x) * 3 + c]!;
  const mean = (at(8, 20, 2) + at(8, 21, 2) + at(9, 20, 2) + at(9, 21, 2)) / 4;
  expect(small.data[(4 * 30 + 10) * 3 + 2]).toBe(Math.round(mean));
  for (const [height, width] of [
    [48, 48],
    [49, 64],
  ] as const) {
    const tile = { height, width, channels: 1, data: new Uint8Array(height * width) };
    expect(thumbnail(tile)).toBe(tile);
  }
});
