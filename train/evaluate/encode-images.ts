import { type Matrix, sliceRows } from "../../information/matrix.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { PairSource } from "../data/pair-source.ts";
import { type Random, stream } from "../random.ts";
import type { CompiledTasks } from "./compile-tasks.ts";

/** What a single-view auto-encoder says of many images. */
export interface EncodedImages {
  readonly latent: { readonly mean: Matrix; readonly logvar: Matrix };
  /** [images], nats: -ln p(x | z) of one code drawn from each posterior. */
  readonly distortion: Float64Array;
  /** By factor, [images] each. */
  readonly labels: Readonly<Record<string, Int32Array>>;
}

const blockRows = 500;

/**
 * Draws `images` fresh images and runs them through the tasks `encode` and `rate_distortion`, a block at a time.
 * Block b comes from the stream (seed, "evaluation", b), its noise from (seed, "evaluation noise", b): the same for every
 * checkpoint of a run.
 */
export async function encodeImages(
  tasks: CompiledTasks,
  source: PairSource,
  { images, seed }: { images: number; seed: number },
): Promise<EncodedImages> {
  const moments: { mean?: Matrix; logvar?: Matrix } = {};
  const distortion = new Float64Array(images);
  const labels: Record<string, Int32Array> = {};
  for (let start = 0; start < images; start += blockRows) {
    const rows = Math.min(blockRows, images - start);
    const batch = source.draw(rows, stream(seed, "evaluation", start / blockRows));
    for (const [factor, values] of Object.entries(batch.labels[0])) {
      labels[factor] ??= new Int32Array(images);
      labels[factor].set(values, start);
    }
    const code = await tasks.run("encode", batch.tensors);
    for (const moment of ["mean", "logvar"] as const) {
      const { shape, data } = code[`latent_${moment}`]!;
      const columns = shape[1]!;
      moments[moment] ??= { rows: images, columns, values: new Float32Array(images * columns) };
      sliceRows(moments[moment], start, start + rows).values.set(data as Float32Array);
    }
    const noise = drawNoise(tasks, rows, stream(seed, "evaluation noise", start / blockRows));
    const parts = await tasks.run("rate_distortion", { ...batch.tensors, ...noise });
    distortion.set(parts.distortion!.data as Float32Array, start);
  }
  return { latent: { mean: moments.mean!, logvar: moments.logvar! }, distortion, labels };
}

/** Standard normal values for the inputs of `rate_distortion` that are noise. */
function drawNoise({ specs }: CompiledTasks, rows: number, random: Random): Record<string, HostTensor> {
  const inputs = Object.entries(specs.rate_distortion!.inputs).filter(([name]) => name.startsWith("noise_"));
  return Object.fromEntries(
    inputs.map(([name, { shape }]): [string, HostTensor] => {
      const columns = Number(shape[1]);
      const data = Float32Array.from({ length: rows * columns }, () => random.normal());
      return [name, { dtype: "float32", shape: [rows, columns], data }];
    }),
  );
}
