import { gaussianKl } from "../../information/gaussian-rate.ts";
import { bitsPerNat } from "../../information/units.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import type { ScoreQuantity, ScoreSums } from "../../schemas/score-manifest.ts";
import type { TensorData } from "../../schemas/tensor.ts";

/**
 * What the scored rows say together: rates of the common code (whole and by dimension) and how far the two encoders
 * disagree, as means over rows. Everything is a sum over rows, so memory does not grow and parts can be made anywhere.
 *
 * Intervals are percentile bootstrap intervals in one pass, the Poisson bootstrap: in each replicate a row counts a
 * Poisson(1) number of times, which is what drawing n of n rows with replacement tends to. The number is a hash of the
 * row's number and the replicate's, so it is the same wherever the row is scored.
 *
 * Source: Chamandy et al. 2012, "Estimating Uncertainty for Massive Data Streams", Google
 */
export const replicates = 200;

type Outputs = Readonly<Record<string, { readonly data: TensorData }>>;

interface Quantity {
  readonly name: string;
  readonly description: string;
  readonly hasInterval: boolean;
  /** Nats, of row `at` of a block; undefined where the row lacks it. */
  value(outputs: Outputs, at: number): number | undefined;
}

export interface RowSums {
  add(outputs: Outputs, at: number, row: number): void;
  finish(): ScoreSums;
}

/** What can be said of a task with these outputs; empty for pictures. */
export function quantitiesOf(outputs: readonly TensorSpec[]): Quantity[] {
  const names = new Map(outputs.map((spec) => [spec.name, spec]));
  return [...ratesOfCodes(names), ...givenRates(names)];
}

/** `encode`: from mean and log-variance of the common code of both views, and of each alone. */
function ratesOfCodes(outputs: ReadonlyMap<string, TensorSpec>): Quantity[] {
  const found: Quantity[] = [];
  for (const code of ["common", "common_1", "common_2"]) {
    const mean = outputs.get(`${code}_mean`);
    if (mean === undefined || !outputs.has(`${code}_logvar`)) continue;
    const size = mean.shape[1] ?? 1;
    const rate = (of: Outputs, at: number, dimension: number): number | undefined => {
      const [means, logvars] = [of[`${code}_mean`], of[`${code}_logvar`]];
      if (means === undefined || logvars === undefined) return undefined;
      const place = at * size + dimension;
      return gaussianKl(Number(means.data[place]), Number(logvars.data[place]), 0, 0);
    };
    const kl = "mean KL of the posterior from the standard normal prior, closed form";
    found.push({
      name: `rate.${code}`,
      description: `${kl}, summed over dimensions: at least what the code says of the data`,
      hasInterval: true,
      value: (of, at) => total(size, (dimension) => rate(of, at, dimension)),
    });
    for (let dimension = 0; dimension < size; dimension++) {
      found.push({
        name: `rate.${code}.${mean.names?.[dimension] ?? dimension}`,
        description: kl,
        hasInterval: false,
        value: (of, at) => rate(of, at, dimension),
      });
    }
  }
  const size = outputs.get("common_1_mean")?.shape[1];
  if (size !== undefined && outputs.has("common_2_mean")) {
    found.push({
      name: "disagreement.encoders",
      description:
        "mean of KL(common_1 || common_2) and KL(common_2 || common_1), summed over dimensions: 0 where both views say the same",
      hasInterval: true,
      value(of, at) {
        const parts = ["common_1_mean", "common_1_logvar", "common_2_mean", "common_2_logvar"].map((name) => of[name]);
        if (parts.includes(undefined)) return undefined;
        return total(size, (dimension) => {
          const [m1, v1, m2, v2] = parts.map((part) => Number(part!.data[at * size + dimension])) as [
            number,
            number,
            number,
            number,
          ];
          return (gaussianKl(m1, v1, m2, v2) + gaussianKl(m2, v2, m1, v1)) / 2;
        });
      },
    });
  }
  return found;
}

/** `common_information`: the task has made the rates, in nats. */
function givenRates(outputs: ReadonlyMap<string, TensorSpec>): Quantity[] {
  const found: Quantity[] = [];
  for (const view of ["1", "2"]) {
    const [totals, rates] = [`total_common_${view}`, `rate_common_${view}`];
    if (outputs.get(totals)?.unit === "nats") {
      found.push({
        name: `rate.common_${view}`,
        description: `mean of the task's ${totals}: rate of the common code as the encoder of view ${view} gives it`,
        hasInterval: true,
        value: (of, at) => numberAt(of, totals, at),
      });
    }
    const spec = outputs.get(rates);
    if (spec?.unit !== "nats") continue;
    const size = spec.shape[1] ?? 1;
    for (let dimension = 0; dimension < size; dimension++) {
      found.push({
        name: `rate.common_${view}.${spec.names?.[dimension] ?? dimension}`,
        description: `mean of the task's ${rates}`,
        hasInterval: false,
        value: (of, at) => numberAt(of, rates, at * size + dimension),
      });
    }
  }
  if (outputs.get("disagreement_symmetric")?.unit === "nats") {
    found.push({
      name: "disagreement.encoders",
      description: "mean of the task's disagreement_symmetric: 0 where both views say the same",
      hasInterval: true,
      value: (of, at) => numberAt(of, "disagreement_symmetric", at),
    });
  }
  return found;
}

function numberAt(of: Outputs, name: string, place: number): number | undefined {
  const found = of[name];
  return found === undefined ? undefined : Number(found.data[place]);
}

function total(size: number, term: (dimension: number) => number | undefined): number | undefined {
  let sum = 0;
  for (let dimension = 0; dimension < size; dimension++) {
    const value = term(dimension);
    if (value === undefined) return undefined;
    sum += value;
  }
  return sum;
}

/** P(Poisson(1) <= k) for k = 0, 1, ...: the count is the number of these that a uniform draw exceeds. */
const cumulative = (() => {
  let [sum, term] = [0, Math.exp(-1)];
  return Float64Array.from({ length: 12 }, (_, k) => {
    if (k > 0) term /= k;
    sum += term;
    return sum;
  });
})();

function timesDrawn(hash: number, replicate: number): number {
  const uniform = mix(hash + Math.imul(replicate + 1, 0x85ebca6b)) / 4294967296;
  let times = 0;
  while (times < cumulative.length && uniform >= cumulative[times]!) times++;
  return times;
}

/** MurmurHash3's finaliser: every bit of the input moves every bit of the output. */
function mix(value: number): number {
  let h = value >>> 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

export function createRowSums(quantities: readonly Quantity[]): RowSums {
  const sums = new Float64Array(quantities.length);
  const counts = new Float64Array(quantities.length);
  const resampled = quantities.map(({ hasInterval }) => new Float64Array(hasInterval ? replicates : 0));
  const weights = quantities.map(({ hasInterval }) => new Float64Array(hasInterval ? replicates : 0));
  const drawn = new Uint8Array(replicates);
  let rows = 0;
  return {
    add(outputs, at, row) {
      rows++;
      if (quantities.length === 0) return;
      const hash = mix(row ^ 0x9e3779b9);
      for (let replicate = 0; replicate < replicates; replicate++) drawn[replicate] = timesDrawn(hash, replicate);
      for (let k = 0; k < quantities.length; k++) {
        const value = quantities[k]!.value(outputs, at);
        if (value === undefined) continue;
        sums[k]! += value;
        counts[k]! += 1;
        const [to, weight] = [resampled[k]!, weights[k]!];
        for (let replicate = 0; replicate < to.length; replicate++) {
          to[replicate]! += drawn[replicate]! * value;
          weight[replicate]! += drawn[replicate]!;
        }
      }
    },
    finish: () => ({
      rows,
      quantities: Object.fromEntries(
        quantities.map(({ name }, k) => [
          name,
          { count: counts[k]!, sum: sums[k]!, resampled: [...resampled[k]!], weights: [...weights[k]!] },
        ]),
      ),
    }),
  };
}

/** Means in bits over the rows of all parts, which must come in order. */
export function summarise(parts: readonly ScoreSums[], outputs: readonly TensorSpec[]): ScoreQuantity[] {
  return quantitiesOf(outputs).flatMap(({ name, description, hasInterval }) => {
    const sums = parts.map((part) => part.quantities[name]!);
    const count = sums.reduce((all, part) => all + part.count, 0);
    if (count === 0) return [];
    const mean = sums.reduce((all, part) => all + part.sum, 0) / count;
    const row: ScoreQuantity = { quantity: name, unit: "bits", value: mean * bitsPerNat, rows: count, description };
    if (!hasInterval || count < 2) return [row];
    const means = Array.from({ length: replicates }, (_, replicate) => {
      const weight = sums.reduce((all, part) => all + part.weights[replicate]!, 0);
      return weight === 0 ? mean : sums.reduce((all, part) => all + part.resampled[replicate]!, 0) / weight;
    }).sort((a, b) => a - b);
    const at = (share: number): number => means[Math.round(share * (replicates - 1))]! * bitsPerNat;
    return [{ ...row, interval: [at(0.025), at(0.975)] }];
  });
}

/** How the intervals were made, for the manifest. */
export const intervalMethod = `95 % percentile intervals of ${replicates} Poisson bootstrap replicates over all scored rows`;
