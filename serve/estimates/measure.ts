import { bootstrapInterval, bootstrapMean } from "../../information/bootstrap.ts";
import { donskerVaradhan } from "../../information/bounds/donsker-varadhan.ts";
import { infoNce } from "../../information/bounds/info-nce.ts";
import type { InformationBound } from "../../information/bounds/information-bound.ts";
import { interpolatedBound } from "../../information/bounds/interpolated-bound.ts";
import { nwjOfLogRatios } from "../../information/bounds/nwj.ts";
import { gaussianCodeScores } from "../../information/gaussian-code-critic.ts";
import type { GaussianRows } from "../../information/gaussian-rate.ts";
import { drawGaussian } from "../../information/gaussian-sample.ts";
import { infoReport } from "../../information/info-report.ts";
import { labelEntropy } from "../../information/label-entropy.ts";
import { jointFromCounts, jointFromRows, jointFromTable } from "../../information/joint-distribution.ts";
import { type Matrix, sliceRows } from "../../information/matrix.ts";
import { stream } from "../../information/random.ts";
import { bitsPerNat } from "../../information/units.ts";
import type { DiscreteRequest, MeasureResponse } from "../../schemas/estimates.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import type { HostTensor } from "../../schemas/tensor.ts";

/** The mathematics of the estimate routes: pure, and run on a thread of its own, since it can take seconds. */

export interface MeasureInput {
  /** Outputs of the measuring task in nats, one a row of the request. */
  readonly outputs: readonly { readonly spec: TensorSpec; readonly tensor: HostTensor }[];
  /** What two encoders say of one code, each from its own view, where the bundle tells. */
  readonly codes: readonly { readonly block: string; readonly first: GaussianCode; readonly second: GaussianCode }[];
  /** Labels that sources tell about, where the task has any. */
  readonly target: { readonly name: string; readonly labels: readonly number[] } | undefined;
  readonly seed: number;
  readonly resamples: number;
}

export interface GaussianCode {
  readonly mean: HostTensor;
  readonly logvar: HostTensor;
}

/** Pairs that are held against each other: the work grows with their square. */
const boundedPairs = 1024;

type Figures = Pick<MeasureResponse, "quantities" | "bounds" | "notes">;

export function measure({ outputs, codes, target, seed, resamples }: MeasureInput): Figures {
  const notes: string[] = [];
  const bootstrap = (name: string) => ({ draw: stream(seed, "bootstrap", name).integer, resamples });
  const quantities = outputs.map(({ spec, tensor }) => quantityOf(spec, tensor, bootstrap));
  if (target !== undefined) quantities.push(...aboutTarget(outputs, target, bootstrap));
  const bounds = codes.flatMap(({ block, first, second }) => {
    const pairs = Math.min(first.mean.shape[0]!, boundedPairs);
    if (pairs < 3) {
      notes.push(`bounds need at least 3 pairs, got ${pairs}`);
      return [];
    }
    if (pairs < first.mean.shape[0]!) notes.push(`bounds are of the first ${pairs} pairs`);
    const [p, q] = [gaussianOf(first, pairs), gaussianOf(second, pairs)];
    const forth = gaussianCodeScores(drawGaussian(p, stream(seed, "code", block, 1).normal), q);
    const back = gaussianCodeScores(drawGaussian(q, stream(seed, "code", block, 2).normal), p);
    return [
      boundOf(infoNce(forth, { bootstrap: bootstrap("1to2") }), `${block} of view 1, told by view 2`),
      boundOf(infoNce(back, { bootstrap: bootstrap("2to1") }), `${block} of view 2, told by view 1`),
      boundOf(
        interpolatedBound(forth, { alpha: 0.5, bootstrap: bootstrap("alpha") }),
        `${block} of view 1, told by view 2`,
      ),
      boundOf(nwjOfLogRatios(forth, { bootstrap: bootstrap("nwj") }), `${block} of view 1, told by view 2`),
      boundOf(donskerVaradhan(forth, { bootstrap: bootstrap("dv") }), `${block} of view 1, told by view 2`),
    ];
  });
  if (codes.length === 0) notes.push("no bounds: the bundle has no code that both views tell as Gaussians");
  return { quantities, bounds, notes };
}

type Bootstrap = (name: string) => { draw: (n: number) => number; resamples: number };

function quantityOf(
  spec: TensorSpec,
  { shape, data }: HostTensor,
  bootstrap: Bootstrap,
): Figures["quantities"][number] {
  const [rows, columns = 1] = shape as [number, number?];
  const values = Float64Array.from(data as Float32Array, (value) => value * bitsPerNat);
  const column = (k: number) => Float64Array.from({ length: rows }, (_, row) => values[row * columns + k]!);
  const totals = Float64Array.from({ length: rows }, (_, row) =>
    sum(values.subarray(row * columns, (row + 1) * columns)),
  );
  const figure = (name: string, of: Float64Array) => ({
    bits: sum(of) / rows,
    interval: bootstrapMean(of, bootstrap(name)),
  });
  return {
    name: spec.name,
    description: spec.description,
    ...figure(spec.name, totals),
    ...(shape.length === 1
      ? {}
      : {
          dimensions: Array.from({ length: columns }, (_, k) => {
            const name = spec.names?.[k] ?? String(k);
            return { name, ...figure(`${spec.name}.${name}`, column(k)) };
          }),
        }),
    ...meaningOf(spec.name),
  };
}

/** By the names that all families share. */
function meaningOf(name: string): { is: string; isNot: string } {
  if (/^(rate|total)_/.test(name)) {
    return {
      is: "a mean over these rows of KL( posterior || prior ); in expectation at least the information between the code and what its encoder sees",
      isNot:
        "a bound of the common information of the data from either side; it speaks of what is common only as far as the encoders agree",
    };
  }
  if (name.startsWith("disagreement")) {
    return {
      is: "how far the encoders differ on these rows; 0 where they say the same",
      isNot: "information: it says how far the rates can be trusted to be common",
    };
  }
  if (name.startsWith("cross_entropy")) {
    return {
      is: "a mean over these rows of -log2 p(label); in expectation at least H(label | source)",
      isNot: "an entropy: a better predictor would have less",
    };
  }
  return { is: "a mean over these rows of what its description says", isNot: "a bound that is proved here" };
}

/** What each source tells about the labels: their plug-in entropy minus its cross-entropy. */
function aboutTarget(
  outputs: MeasureInput["outputs"],
  { name, labels }: { name: string; labels: readonly number[] },
  bootstrap: Bootstrap,
): Figures["quantities"] {
  const symbols = [...new Set(labels)];
  const classes = labels.map((label) => symbols.indexOf(label));
  const sources = outputs.filter(
    ({ spec, tensor }) => spec.name.startsWith("cross_entropy") && tensor.shape.length === 1,
  );
  return sources.map(({ spec, tensor }) => {
    const values = Float64Array.from(tensor.data as Float32Array, (value) => value * bitsPerNat);
    const statistic = (rows: Int32Array): number => {
      let cross = 0;
      for (const row of rows) cross += values[row]!;
      const drawn = Int32Array.from(rows, (row) => classes[row]!);
      return labelEntropy(drawn, symbols.length) - cross / rows.length;
    };
    const all = Int32Array.from({ length: labels.length }, (_, row) => row);
    return {
      name: `information_${spec.name}`,
      description: `H(${name}) minus the mean of ${spec.name}; H is plug-in, of the ${labels.length} labels given`,
      bits: statistic(all),
      interval: bootstrapInterval(labels.length, statistic, bootstrap(`information.${spec.name}`)),
      is: "with the true H(label), a lower bound in expectation of I(source; label); where the predictions agree, of what is redundant",
      isNot: "the redundant information itself; with few rows the plug-in entropy is low, and so is this",
    };
  });
}

function boundOf(bound: InformationBound, of: string): Figures["bounds"][number] {
  const { nats, interval, ceilingNats, estimator, promise } = bound;
  const finite = Number.isFinite(nats);
  return {
    estimator,
    of: `I(view 1; view 2), by ${of}`,
    bits: finite ? nats * bitsPerNat : null,
    ...(interval?.every(Number.isFinite) ? { interval: [interval[0] * bitsPerNat, interval[1] * bitsPerNat] } : {}),
    ...(Number.isFinite(ceilingNats) ? { ceilingBits: ceilingNats * bitsPerNat } : {}),
    is: `${promise}, if the model was not trained on these pairs`,
    isNot:
      "a bound of Gács-Körner common information, which mutual information exceeds; its interval is on the small side, as pairs share their partners",
  };
}

function gaussianOf({ mean, logvar }: GaussianCode, rows: number): GaussianRows {
  const matrix = ({ shape, data }: HostTensor): Matrix =>
    sliceRows({ rows: shape[0]!, columns: shape[1]!, values: data as Float32Array }, 0, rows);
  return { mean: matrix(mean), logvar: matrix(logvar) };
}

function sum(values: Iterable<number>): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Exact measures of a posted table. @throws RangeError for a table that is none */
export function measureTable({ columns, rows, counts, probabilities, seed }: DiscreteRequest): object {
  const [x, y, target] = columns as [string, string, string?];
  if (rows !== undefined) return infoReport(jointFromRows(columns, rows), { x, y, target, rows: rows.length, seed });
  const table = counts ?? probabilities ?? [];
  const variables = [
    { name: x, symbols: table.map((_, i) => String(i)) },
    { name: y, symbols: (table[0] ?? []).map((_, j) => String(j)) },
  ];
  if (counts === undefined) return infoReport(jointFromTable(variables, table.flat()), { x, y, seed });
  return infoReport(jointFromCounts(variables, table.flat()), { x, y, rows: sum(table.flat()), seed });
}
