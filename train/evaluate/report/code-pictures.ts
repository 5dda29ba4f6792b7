import type { GaussianPrior } from "../../../information/gaussian-rate.ts";
import type { HostTensor } from "../../../schemas/tensor.ts";
import type { LatentBlock } from "../../models/family.ts";
import type { CompiledTasks } from "../compile-tasks.ts";
import type { DimensionRate } from "./dimension-rates.ts";
import { type Tile, tilesOf } from "./tiles.ts";

/** Pictures that are made from codes by the task `decode`. */

export type PairOfTiles = readonly [Tile, Tile];

export interface Reconstruction {
  readonly views: PairOfTiles;
  readonly rebuilt: PairOfTiles;
}

export interface Traversal {
  readonly block: LatentBlock["name"];
  readonly dimension: string;
  /** One step each; both views of every step. */
  readonly steps: readonly PairOfTiles[];
}

export interface Traversals {
  /** Prior standard deviations from the prior's mean at each step. */
  readonly range: readonly number[];
  readonly prior: readonly Traversal[];
  readonly posterior: readonly Traversal[];
  /** Dimensions that were left out because there are many and these carry least. */
  readonly leftOut: readonly string[];
}

/** What a model and its source give to draw. `views` are the pairs drawn for the report, by graph input name. */
export interface Subject {
  readonly tasks: CompiledTasks;
  readonly blocks: readonly LatentBlock[];
  readonly priors: Readonly<Record<string, GaussianPrior>>;
  readonly rates: readonly DimensionRate[];
  readonly views: Readonly<Record<string, HostTensor>>;
  readonly seed: number;
}

/** Dimensions of a block that are shown at most, those of the highest rate. */
const shownDimensions = 10;

type Codes = Readonly<Record<string, Float32Array>>;

/** The pairs through `encode` and `decode`, each view from its own encoder's codes. */
export async function reconstructions(subject: Subject): Promise<Reconstruction[] | undefined> {
  const codes = await posteriorMeans(subject);
  if (codes === undefined) return undefined;
  const first = await decoded(subject, codes);
  const own = codes.common_2 === undefined ? codes : { ...codes, common: codes.common_2 };
  const second = await decoded(subject, own);
  const truth = [tilesOf(subject.views.view_1!), tilesOf(subject.views.view_2!)] as const;
  if (first === undefined || second === undefined || truth[0] === undefined || truth[1] === undefined) return undefined;
  return truth[0].map((view, i) => ({
    views: [view, truth[1]![i]!],
    rebuilt: [first[i]![0], second[i]![1]],
  }));
}

/** Every dimension moved through its prior, the others at the prior's mean, and at the posterior mean of the first pair. */
export async function traversals(subject: Subject): Promise<Traversals | undefined> {
  const codes = await posteriorMeans(subject);
  if (codes === undefined) return undefined;
  const { blocks, priors } = subject;
  const range = [-2, -4 / 3, -2 / 3, 0, 2 / 3, 4 / 3, 2];
  const shown = blocks.flatMap((block) => chosen(block, subject.rates).map((j) => ({ block, j })));
  const all = blocks.flatMap(({ dimensions }) => dimensions);
  const names = shown.map(({ block, j }) => block.dimensions[j]!);

  const walk = async (base: Codes): Promise<Traversal[] | undefined> => {
    const rows = shown.flatMap(({ block, j }) =>
      range.map((at) => {
        const prior = priors[block.name];
        const moved = Float32Array.from(base[block.name]!);
        moved[j] = (prior?.mean[j] ?? 0) + at * Math.exp(0.5 * (prior?.logvar[j] ?? 0));
        return { ...base, [block.name]: moved };
      }),
    );
    const pictures = await decoded(subject, stack(blocks, rows));
    return pictures === undefined
      ? undefined
      : shown.map(({ block, j }, i) => ({
          block: block.name,
          dimension: block.dimensions[j]!,
          steps: pictures.slice(i * range.length, (i + 1) * range.length),
        }));
  };

  const priorMean = Object.fromEntries(
    blocks.map(({ name, dimensions }) => [name, Float32Array.from(dimensions, (_, j) => priors[name]?.mean[j] ?? 0)]),
  );
  const firstPair = Object.fromEntries(
    blocks.map(({ name, dimensions }) => [name, codes[name]!.slice(0, dimensions.length)]),
  );
  const prior = await walk(priorMean);
  const posterior = await walk(firstPair);
  if (prior === undefined || posterior === undefined) return undefined;
  return { range, prior, posterior, leftOut: all.filter((name) => !names.includes(name)) };
}

/** @returns by block, and `common_2` where encoder 2 tells the common block as well; undefined without the two tasks */
async function posteriorMeans({ tasks, blocks, views }: Subject): Promise<Codes | undefined> {
  const wanted = Object.keys(tasks.specs.decode?.inputs ?? {});
  const isDecodable = wanted.length === blocks.length && blocks.every(({ name }) => wanted.includes(name));
  if (tasks.specs.encode === undefined || !isDecodable) return undefined;
  const found = await tasks.run("encode", views);
  const codes: Record<string, Float32Array> = {};
  for (const name of [...blocks.map((block) => block.name), "common_2"]) {
    const mean = found[`${name}_mean`];
    if (mean?.data instanceof Float32Array) codes[name] = mean.data;
  }
  return blocks.every(({ name }) => codes[name] !== undefined) ? codes : undefined;
}

async function decoded({ tasks, blocks }: Subject, codes: Codes): Promise<PairOfTiles[] | undefined> {
  const inputs = blocks.map(({ name, dimensions }): [string, HostTensor] => {
    const data = codes[name]!;
    return [name, { dtype: "float32", shape: [data.length / dimensions.length, dimensions.length], data }];
  });
  const { view_1, view_2 } = await tasks.run("decode", Object.fromEntries(inputs));
  const first = view_1 && tilesOf(view_1);
  const second = view_2 && tilesOf(view_2);
  return first && second && first.map((tile, i) => [tile, second[i]!] as const);
}

function stack(blocks: readonly LatentBlock[], rows: readonly Codes[]): Codes {
  return Object.fromEntries(
    blocks.map(({ name, dimensions }) => {
      const data = new Float32Array(rows.length * dimensions.length);
      for (const [i, row] of rows.entries()) data.set(row[name]!, i * dimensions.length);
      return [name, data];
    }),
  );
}

/** Indices of the dimensions of a block to show, in order. */
function chosen({ dimensions }: LatentBlock, rates: readonly DimensionRate[]): number[] {
  const bits = (name: string) => rates.find(({ dimension }) => dimension === name)?.bits ?? 0;
  return dimensions
    .map((name, j) => ({ j, bits: bits(name) }))
    .sort((a, b) => b.bits - a.bits || a.j - b.j)
    .slice(0, shownDimensions)
    .map(({ j }) => j)
    .sort((a, b) => a - b);
}
