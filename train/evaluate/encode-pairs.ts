import { type Matrix, sliceRows } from "../../information/matrix.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { PairSource } from "../data/pair-source.ts";
import { stream } from "../random.ts";

/** The task `encode` of a model, wherever it runs. */
export type Encode = (views: Readonly<Record<string, HostTensor>>) => Promise<Readonly<Record<string, HostTensor>>>;

/** Codes of many pairs with the labels that the source drew them with. */
export interface EncodedPairs {
  /** By output of `encode`, for instance `common_mean`: [pairs, dims]. */
  readonly codes: Readonly<Record<string, Matrix>>;
  /** Labels of view 1 and of view 2 by factor, [pairs] each. */
  readonly labels: readonly [Readonly<Record<string, Int32Array>>, Readonly<Record<string, Int32Array>>];
}

const blockRows = 500;

/**
 * Draws `pairs` fresh pairs and encodes them, a block at a time, so that images never pile up.
 * Block b comes from the stream (seed, "evaluation", b): the same pairs for every checkpoint of a run.
 */
export async function encodePairs(
  encode: Encode,
  source: PairSource,
  { pairs, seed }: { pairs: number; seed: number },
): Promise<EncodedPairs> {
  const codes: Record<string, Matrix> = {};
  const labels: [Record<string, Int32Array>, Record<string, Int32Array>] = [{}, {}];
  for (let start = 0; start < pairs; start += blockRows) {
    const rows = Math.min(blockRows, pairs - start);
    const batch = source.draw(rows, stream(seed, "evaluation", start / blockRows));
    for (const view of [0, 1] as const) {
      for (const [factor, values] of Object.entries(batch.labels[view])) {
        labels[view][factor] ??= new Int32Array(pairs);
        labels[view][factor].set(values, start);
      }
    }
    for (const [name, { shape, data }] of Object.entries(await encode(batch.tensors))) {
      const columns = shape[1];
      if (shape.length !== 2 || shape[0] !== rows || columns === undefined || !(data instanceof Float32Array)) {
        throw new Error(
          `Cannot evaluate: "${name}" of encode must be float32 [${rows}, dims], got [${shape.join(", ")}]`,
        );
      }
      codes[name] ??= { rows: pairs, columns, values: new Float32Array(pairs * columns) };
      sliceRows(codes[name], start, start + rows).values.set(data);
    }
  }
  return { codes, labels };
}
