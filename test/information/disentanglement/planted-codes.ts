import type { LabelledFactor } from "../../../information/disentanglement/score.ts";
import type { GaussianRows } from "../../../information/gaussian-rate.ts";
import type { Matrix } from "../../../information/matrix.ts";
import { stream } from "../../../train/random.ts";

/** Independent uniform factors. */
export function drawFactors(rows: number, sizes: Readonly<Record<string, number>>, seed = 7): LabelledFactor[] {
  return Object.entries(sizes).map(([name, classes]) => {
    const random = stream(seed, "factor", name);
    return { name, classes, labels: Int32Array.from({ length: rows }, () => random.integer(classes)) };
  });
}

/** Codes from a function of the row's labels (0 .. classes - 1, in the order of factors) and a source of noise. */
export function plantCodes(
  factors: readonly LabelledFactor[],
  code: (labels: readonly number[], normal: () => number) => readonly number[],
): Matrix {
  const rows = factors[0]!.labels.length;
  const random = stream(7, "codes");
  const all = Array.from({ length: rows }, (_, i) =>
    code(
      factors.map(({ labels }) => labels[i]!),
      random.normal,
    ).map(Math.fround),
  );
  return { rows, columns: all[0]!.length, values: Float64Array.from(all.flat()) };
}

/** Codes as posteriors of one standard deviation. */
export function withDeviation(mean: Matrix, deviation: number): GaussianRows {
  const logvar = new Float64Array(mean.values.length).fill(2 * Math.log(deviation));
  return { mean, logvar: { ...mean, values: logvar } };
}

/** The same numbers with rows and columns exchanged. */
export function transpose({ rows, columns, values }: Matrix): Matrix {
  const turned = Float64Array.from(
    { length: values.length },
    (_, at) => values[(at % rows) * columns + Math.floor(at / rows)]!,
  );
  return { rows: columns, columns: rows, values: turned };
}
