import { bootstrapMean } from "../../information/bootstrap.ts";
import { gacsKorner } from "../../information/gacs-korner.ts";
import { jointFromRows } from "../../information/joint-distribution.ts";
import { stream } from "../../information/random.ts";
import { bitsPerNat } from "../../information/units.ts";
import { usableInformation } from "../../information/usable-information.ts";
import { type Model, type View, views } from "./model.ts";
import type { Sample } from "./sample.ts";

/** What is said of a set of pairs. All bits. */
export interface SharedBits {
  readonly pairs: number;
  /** Rate of the common code by each encoder, mean over the pairs. */
  readonly rate: Readonly<Record<View, Estimate>>;
  /** KL of encoder 1's common posterior from encoder 2's. */
  readonly disagreement: Estimate;
  /** Common factors that a linear classifier reads from view 1's common code; undefined for too few pairs. */
  readonly usable: Estimate | undefined;
  /** Gács-Körner common information of the labels of these very pairs; undefined without labels. */
  readonly exact: number | undefined;
}

export interface Estimate {
  readonly bits: number;
  readonly interval: readonly [number, number];
}

/** Pairs as a list of (row of view 1, row of view 2): shuffled ones do not belong together. */
export type Pairs = readonly (readonly [number, number])[];

const rowsAtOnce = 64;
/** Share of the pairs on which the classifier is fitted; it is judged on the rest. */
const trained = 0.7;

export async function sharedBits(
  pairs: Pairs,
  { model, sample, factors, seed }: { model: Model; sample: Sample; factors: readonly string[]; seed: number },
): Promise<SharedBits> {
  const rates: Record<View, number[]> = { 1: [], 2: [] };
  const disagreements: number[] = [];
  const means: number[] = [];
  for (let from = 0; from < pairs.length; from += rowsAtOnce) {
    const part = pairs.slice(from, from + rowsAtOnce);
    const images = (view: View) =>
      sample.images(
        view,
        part.map((pair) => pair[view - 1]!),
      );
    const outputs = await model.run("common_information", { view_1: images(1), view_2: images(2) });
    for (const view of views) rates[view].push(...(outputs[`total_common_${view}`]!.data as Float32Array));
    disagreements.push(...(outputs.disagreement_1to2!.data as Float32Array));
    means.push(...((await model.encode(1, images(1))).common?.mean ?? []));
  }
  const estimate = (nats: readonly number[], name: string): Estimate => {
    const bits = Float64Array.from(nats, (value) => value * bitsPerNat);
    return meanOf(bits, { seed, name });
  };
  return {
    pairs: pairs.length,
    rate: { 1: estimate(rates[1], "rate 1"), 2: estimate(rates[2], "rate 2") },
    disagreement: estimate(disagreements, "disagreement"),
    usable: usableOf(pairs, { means, sample, factors, seed }),
    exact: exactOf(pairs, { sample, factors }),
  };
}

/** The joint symbol of the common factors of one picture. */
export function symbolOf(
  sample: Sample,
  { view, row, factors }: { view: View; row: number; factors: readonly string[] },
) {
  return factors.map((name) => sample.labels[view][name]?.[row] ?? "?").join(" ");
}

function exactOf(
  pairs: Pairs,
  { sample, factors }: { sample: Sample; factors: readonly string[] },
): number | undefined {
  if (factors.length === 0) return undefined;
  const rows = pairs.map(([first, second]) => [
    symbolOf(sample, { view: 1, row: first, factors }),
    symbolOf(sample, { view: 2, row: second, factors }),
  ]);
  return gacsKorner(jointFromRows(["view 1", "view 2"], rows)).bits;
}

function usableOf(
  pairs: Pairs,
  context: { means: readonly number[]; sample: Sample; factors: readonly string[]; seed: number },
): Estimate | undefined {
  const { means, sample, factors, seed } = context;
  const symbols = pairs.map(([row]) => symbolOf(sample, { view: 1, row, factors }));
  const known = [...new Set(symbols)];
  const train = Math.floor(trained * pairs.length);
  if (factors.length === 0 || known.length < 2 || train < 5 * known.length) return undefined;
  const labels = Int32Array.from(symbols, (symbol) => known.indexOf(symbol));
  if (new Set(labels.subarray(0, train)).size < 2) return undefined;
  const features = { rows: pairs.length, columns: means.length / pairs.length, values: Float64Array.from(means) };
  const { rows } = usableInformation(features, labels, { classes: known.length, train });
  return meanOf(rows, { seed, name: "usable" });
}

/** With the 95 % interval of the bootstrap over rows. */
function meanOf(values: Float64Array, { seed, name }: { seed: number; name: string }): Estimate {
  const random = stream(seed, "bootstrap", name);
  const interval = bootstrapMean(values, { draw: (n) => random.integer(n) });
  return { bits: values.reduce((sum, value) => sum + value, 0) / values.length, interval };
}
