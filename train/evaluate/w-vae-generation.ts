import { bootstrapMean } from "../../information/bootstrap.ts";
import { frechetDistance } from "../../information/frechet-distance.ts";
import type { Matrix } from "../../information/matrix.ts";
import type { Figure } from "../../schemas/manifest.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { Minibatch, PairSource } from "../data/pair-source.ts";
import { stream } from "../random.ts";
import type { CompiledTasks } from "./compile-tasks.ts";
import { blockRows, blocksOf, eachImage, noiseFor, pick, stack } from "./generated-rows.ts";
import { correlation, inkOf, slantOf, totalVariance, withoutClassMeans } from "./image-style.ts";
import type { OpenJudge } from "./open-judge.ts";

/** Figures of what a model of add-one pairs generates. */
export const generationQuantities = [
  "label_error.test_images",
  "label_error.joint",
  "label_error.conditional",
  "label_error.conditional_2to1",
  "label_error.conditional_likeliest",
  "label_error.style_transfer",
  "label_error.style_transfer_2",
  "style.variability",
  "style.variability_2to1",
  "style.variability_unique",
  "style.consistency.ink",
  "style.consistency.slant",
  "frechet.joint",
  "frechet.conditional",
];

export interface Generation {
  readonly tasks: CompiledTasks;
  readonly judge: OpenJudge;
  /** Of held-out images where there are some. */
  readonly source: PairSource;
  /** Test pairs, each drawn from in many ways. */
  readonly images: number;
  readonly seed: number;
  readonly onProgress: (doing: string) => void;
}

/** Draws for each test image, as in the evaluation of the authors' later paper. */
const draws = 30;

/**
 * How well a model of add-one pairs generates, judged by a classifier: view 2 shows the digit after that of view 1.
 *
 *   label_error.test_images     share of real test images that the judge names wrongly: the floor of what follows
 *   label_error.joint           share of pairs from the prior in which view 2 is not judged the digit after view 1
 *   label_error.conditional     share of views 2 drawn from a test view 1, 30 for each, not judged the digit after it
 *   label_error.conditional_likeliest  the same with the likeliest common code, not a drawn one: what is above it is the
 *                               doubt of the encoder
 *   label_error.style_transfer  share of views 1, styled as one test view 1 with the content of another pair's view 2,
 *                               that are not judged the digit before that
 *   style.variability           variance of the 30 draws, summed over pixels, over that of real test images of one class
 *   style.variability_unique    the same with the likeliest common code: what the unique code alone says of the style
 *   style.consistency.*         correlation of ink (all intensity) or slant of the styled image and of the one that gave
 *                               the style, both less the mean of their class
 *   frechet.*                   Frechet distance on the judge's features from real views 2; of joint, from real views 1
 */
export async function measureGeneration(generation: Generation): Promise<Figure[]> {
  const { source, images, seed, judge, onProgress } = generation;
  const pairs = source.draw(images, stream(seed, "generation", "pairs"));
  const label = pairs.labels[0].label!;
  onProgress("judging real images");
  const real1 = await judge.judge(pairs.tensors.view_1!);
  const real2 = await judge.judge(pairs.tensors.view_2!);
  const floor = [...wrong(real1.classes, label), ...wrong(real2.classes, label.map(after))];
  const figures = [
    share("label_error.test_images", floor, { seed, estimator: `judge on ${images} test pairs, both views` }),
  ];
  figures.push(...(await jointFigures(generation, real1.features)));
  for (const given of [1, 2] as const) {
    figures.push(...(await conditionalFigures(generation, { pairs, given, real: real2.features })));
  }
  for (const style of [1, 2] as const) figures.push(...(await styleFigures(generation, { pairs, style })));
  return figures;
}

async function jointFigures(generation: Generation, real: Matrix): Promise<Figure[]> {
  const { tasks, judge, images, seed, onProgress } = generation;
  if (tasks.specs.joint === undefined) return [];
  onProgress("drawing pairs from the prior");
  const errors: number[] = [];
  const features: Matrix[] = [];
  for (const block of blocksOf(images)) {
    const drawn = await tasks.run("joint", noiseFor({ ...generation, task: "joint" }, block));
    const first = await judge.judge(drawn.view_1!);
    const second = await judge.judge(drawn.view_2!);
    errors.push(...wrong(second.classes, first.classes.map(after)));
    features.push(first.features);
  }
  const estimator = `judge on ${images} pairs drawn from the prior`;
  return [
    share("label_error.joint", errors, { seed, estimator }),
    distance("frechet.joint", stack(features), { real, seed, of: `${images} views 1 drawn from the prior` }),
  ];
}

async function conditionalFigures(
  generation: Generation,
  { pairs, given, real }: { pairs: Minibatch; given: 1 | 2; real: Matrix },
): Promise<Figure[]> {
  const { tasks, seed } = generation;
  const wanted = given === 1 ? 2 : 1;
  const task = `conditional_${given}to${wanted}`;
  if (tasks.specs[task] === undefined) return [];
  const { errors, spread, features, how } = await drawConditional(generation, { pairs, given });
  const ending = given === 1 ? "" : "_2to1";
  const figures = [
    share(`label_error.conditional${ending}`, errors, { seed, estimator: `judge on ${how}` }),
    share(`style.variability${ending}`, spread, { seed, estimator: `${how}: ${varianceOfDraws}` }),
  ];
  if (given === 2) return figures;
  figures.push(distance("frechet.conditional", features, { real, seed, of: how }));
  const silent = "noise_common";
  if (tasks.specs[task].inputs[silent] === undefined) return figures;
  const likeliest = await drawConditional(generation, { pairs, given, silent });
  const by = `${likeliest.how}, all by the likeliest common code`;
  return [
    ...figures,
    share("label_error.conditional_likeliest", likeliest.errors, { seed, estimator: `judge on ${by}` }),
    share("style.variability_unique", likeliest.spread, { seed, estimator: `${by}: ${varianceOfDraws}` }),
  ];
}

const varianceOfDraws = "variance over draws, summed over pixels, over that of real images within a class";

interface ConditionalDraws {
  /** Of each test image, the share of its draws that are not judged the right digit. */
  readonly errors: readonly number[];
  /** Of each test image, the variance of its draws over that of real images of one class. */
  readonly spread: readonly number[];
  readonly features: Matrix;
  readonly how: string;
}

/** Draws views of one side from test images of the other. @param silent as in `noiseFor` */
async function drawConditional(
  generation: Generation,
  { pairs, given, silent }: { pairs: Minibatch; given: 1 | 2; silent?: string },
): Promise<ConditionalDraws> {
  const { tasks, judge, images, onProgress } = generation;
  const wanted = given === 1 ? 2 : 1;
  const task = `conditional_${given}to${wanted}`;
  const labels = pairs.labels[0].label!;
  const realVariance = classVariance(pairs.tensors[`view_${wanted}`]!, labels);
  const errors: number[] = [];
  const spread: number[] = [];
  const features: Matrix[] = [];
  const each = Math.max(1, Math.floor(blockRows / draws));
  for (let start = 0; start < images; start += each) {
    onProgress(`${task}: ${start} of ${images} images, ${draws} draws each`);
    const count = Math.min(each, images - start);
    const rows = count * draws;
    const view = pick(pairs.tensors[`view_${given}`]!, rows, (i) => start + Math.floor(i / draws));
    const noise = noiseFor({ ...generation, task, silent }, { rows, at: start });
    const drawn = (await tasks.run(task, { [`view_${given}`]: view, ...noise }))[`view_${wanted}`]!;
    const verdict = await judge.judge(drawn);
    const truth = Int32Array.from({ length: rows }, (_, i) => {
      const digit = labels[start + Math.floor(i / draws)]!;
      return wanted === 2 ? after(digit) : digit;
    });
    const off = wrong(verdict.classes, truth);
    const pixels = drawn.data.length / rows;
    for (let i = 0; i < count; i++) {
      errors.push(mean(off.slice(i * draws, (i + 1) * draws)));
      const own = drawn.data.slice(i * draws * pixels, (i + 1) * draws * pixels);
      spread.push(totalVariance(own, draws) / realVariance);
    }
    features.push(verdict.features);
  }
  const how = `${draws} draws for each of ${images} test images, view ${wanted} from view ${given}`;
  return { errors, spread, features: stack(features), how };
}

async function styleFigures(
  generation: Generation,
  { pairs, style }: { pairs: Minibatch; style: 1 | 2 },
): Promise<Figure[]> {
  const { tasks, judge, images, seed, onProgress } = generation;
  const task = `style_transfer_${style}`;
  if (tasks.specs[task] === undefined) return [];
  onProgress(`${task}: ${images} images`);
  const content = style === 1 ? 2 : 1;
  const labels = pairs.labels[0].label!;
  const other = stream(seed, "generation", task).permutation(images);
  const wanted = Int32Array.from(other, (i) => (style === 1 ? labels[i]! : after(labels[i]!)));
  const errors: number[] = [];
  const traits: Record<"ink" | "slant", { given: number[]; styled: number[] }> = {
    ink: { given: [], styled: [] },
    slant: { given: [], styled: [] },
  };
  for (const { rows, at } of blocksOf(images)) {
    const reference = pick(pairs.tensors[`view_${style}`]!, rows, (i) => at + i);
    const contents = pick(pairs.tensors[`view_${content}`]!, rows, (i) => other[at + i]!);
    const inputs = { [`view_${style}`]: reference, [`view_${content}`]: contents };
    const styled = (await tasks.run(task, inputs))[`styled_view_${style}`]!;
    errors.push(...wrong((await judge.judge(styled)).classes, wanted.slice(at, at + rows)));
    traits.ink.given.push(...eachImage(reference, inkOf));
    traits.ink.styled.push(...eachImage(styled, inkOf));
    traits.slant.given.push(...eachImage(reference, slantOf));
    traits.slant.styled.push(...eachImage(styled, slantOf));
  }
  const ending = style === 1 ? "" : "_2";
  const how = `${images} test images, each in the style of view ${style} of one pair with the content of view ${content} of another`;
  const figures = [share(`label_error.style_transfer${ending}`, errors, { seed, estimator: `judge on ${how}` })];
  if (style === 2) return figures;
  for (const [trait, { given, styled }] of Object.entries(traits)) {
    const value = correlation(withoutClassMeans(given, labels), withoutClassMeans(styled, wanted));
    const estimator = `correlation of ${trait} before and after, less class means; ${how}`;
    figures.push({ quantity: `style.consistency.${trait}`, unit: "1", value, estimator, n: images, seed });
  }
  return figures;
}

const after = (digit: number): number => (digit + 1) % 10;
const mean = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((sum, one) => sum + one, 0) / values.length;

function wrong(said: ArrayLike<number>, truth: ArrayLike<number>): number[] {
  return Array.from(said, (one, i) => (one === truth[i] ? 0 : 1));
}

function share(
  quantity: string,
  rows: readonly number[],
  { seed, estimator }: { seed: number; estimator: string },
): Figure {
  const values = Float64Array.from(rows);
  const interval = bootstrapMean(values, { draw: stream(seed, "bootstrap", quantity).integer });
  return { quantity, unit: "1", value: mean(values), estimator, n: values.length, seed, interval };
}

function distance(
  quantity: string,
  features: Matrix,
  { real, seed, of }: { real: Matrix; seed: number; of: string },
): Figure {
  const estimator = `Frechet distance on the judge's features, ${of} against ${real.rows} real ones; too large on finite samples`;
  return { quantity, unit: "1", value: frechetDistance(features, real), estimator, n: features.rows, seed };
}

/** Mean over classes of the variance of real images within the class, summed over pixels, intensity 0..1. */
function classVariance({ data, shape }: HostTensor, labels: Int32Array): number {
  const size = data.length / shape[0]!;
  const classes = [...new Set(labels)];
  const each = classes.map((digit) => {
    const rows = Array.from(labels.keys()).filter((row) => labels[row] === digit);
    const own = new Float32Array(rows.length * size);
    for (const [i, row] of rows.entries()) {
      for (let p = 0; p < size; p++) own[i * size + p] = Number(data[row * size + p]) / 255;
    }
    return rows.length < 2 ? Number.NaN : totalVariance(own, rows.length);
  });
  return mean(each.filter(Number.isFinite));
}
