import { stream } from "../../information/random.ts";
import { readSafetensors } from "../../schemas/safetensors.ts";
import { elementCount, type HostTensor } from "../../schemas/tensor.ts";
import { gunzip } from "../download.ts";
import { type Model, type View, views } from "./model.ts";

/** Labels of one view by factor, one a pair. */
export type Labels = Readonly<Record<string, Int32Array>>;

/** Pairs to play with. */
export interface Sample {
  readonly pairs: number;
  /** From the model itself, because its bundle brings no data. */
  readonly generated: boolean;
  readonly labels: Readonly<Record<View, Labels>>;
  image(view: View, pair: number): Uint8Array;
  /** Several images of a view as one batch. */
  images(view: View, pairs: readonly number[]): HostTensor;
}

const generatedPairs = 128;

/** The bundle's sample of its data by name; empty where it brings none. */
export async function loadTensors(model: Model): Promise<ReadonlyMap<string, HostTensor>> {
  const file = await model.samplesFile();
  return file === undefined ? new Map() : readSafetensors(await gunzip(file.slice().buffer), "samples");
}

/** Pairs of the bundle's sample; where it brings none, pairs that the model draws itself (task `joint`). */
export async function loadSample(model: Model, tensors: ReadonlyMap<string, HostTensor>): Promise<Sample | undefined> {
  const brought = sampleOf(tensors, false);
  if (brought !== undefined) return brought;
  const joint = model.task("joint");
  if (joint === undefined) return undefined;
  const feeds: Record<string, HostTensor> = {};
  for (const [at, { name, shape }] of joint.inputs.entries()) {
    const random = stream(1, "sample", at);
    const size = elementCount(shape.slice(1));
    const data = Float32Array.from({ length: generatedPairs * size }, () => random.normal());
    feeds[name] = { dtype: "float32", shape: [generatedPairs, ...shape.slice(1)], data };
  }
  const drawn = await model.run("joint", feeds);
  const pictures = views.map((view) => [`view_${view}`, toBytes(drawn[`view_${view}`]!)] as const);
  return sampleOf(new Map(pictures), true);
}

/** @param tensors `view_1`, `view_2`: uint8 [pairs, ...]; `label_1/<factor>`, `label_2/<factor>`: int32 [pairs] */
export function sampleOf(tensors: ReadonlyMap<string, HostTensor>, generated: boolean): Sample | undefined {
  const [first, second] = [tensors.get("view_1"), tensors.get("view_2")];
  if (first === undefined || second === undefined) return undefined;
  const pixels = { 1: first, 2: second };
  const labelsOf = (view: View): Labels =>
    Object.fromEntries(
      [...tensors]
        .filter(([name]) => name.startsWith(`label_${view}/`))
        .map(([name, { data }]) => [name.slice(`label_${view}/`.length), data as Int32Array]),
    );
  const size = { 1: elementCount(first.shape.slice(1)), 2: elementCount(second.shape.slice(1)) };
  const image = (view: View, pair: number): Uint8Array =>
    (pixels[view].data as Uint8Array).subarray(pair * size[view], (pair + 1) * size[view]);
  return {
    pairs: first.shape[0]!,
    generated,
    labels: { 1: labelsOf(1), 2: labelsOf(2) },
    image,
    images(view, pairs) {
      const data = new Uint8Array(pairs.length * size[view]);
      for (const [at, pair] of pairs.entries()) data.set(image(view, pair), at * size[view]);
      return { dtype: "uint8", shape: [pairs.length, ...pixels[view].shape.slice(1)], data };
    },
  };
}

/** Intensities 0..1 to bytes. */
export function toBytes({ shape, data }: HostTensor): HostTensor {
  const values = data as Float32Array;
  const bytes = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  return { dtype: "uint8", shape, data: bytes };
}
