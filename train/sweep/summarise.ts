import { bootstrapInterval, middleOf } from "../../information/bootstrap.ts";
import { median } from "../../information/median.ts";
import type { CellLine, Sweep, SweepSummary } from "../../schemas/sweep.ts";
import { sourceNeedsFiles } from "../data/open-source.ts";
import { producer } from "../producer.ts";
import { stream } from "../random.ts";
import type { Cell } from "./cells.ts";
import { sweepNames } from "./read-sweep.ts";
import { trendsOf } from "./trends.ts";

/** How often a sweep's seeds are drawn again. */
const resamples = 4000;
/** An interval over fewer seeds says nothing. */
const enoughSeeds = 3;

/**
 * What the finished cells of a sweep say: medians over seeds, and differences of medians, each with a 95 % percentile
 * bootstrap interval over seeds. With few seeds such an interval is no wider than the seeds lie apart: three of them
 * give the smallest and the largest value, and prove little; one has none, since its width of 0 would pass for certainty.
 *
 * @param lines the last line of each cell
 * @param planned the cells of the plan
 */
export function summarise(
  { sweep, budget }: { sweep: Sweep; budget: string },
  lines: readonly CellLine[],
  planned: readonly Cell[],
): SweepSummary {
  const finished = lines.filter(({ status }) => status === "finished").sort((a, b) => a.seed - b.seed);
  const medians = sweep.variants.flatMap(({ name }) =>
    Object.entries(sweep.quantities).flatMap(([quantity, figure]): SweepSummary["medians"] => {
      const own = finished.filter(({ variant, figures }) => variant === name && figures[figure] !== undefined);
      if (own.length === 0) return [];
      const values = own.map(({ figures }) => figures[figure]!.value);
      const { unit, estimator } = own[0]!.figures[figure]!;
      const seeds = own.map(({ seed }) => seed);
      return [
        {
          variant: name,
          quantity,
          unit,
          estimator,
          median: median(values),
          ...(values.length < 2 ? {} : { interval: over(values, [name, quantity]) }),
          seeds,
          values,
        },
      ];
    }),
  );
  const of = (variant: string, quantity: string) =>
    medians.find((row) => row.variant === variant && row.quantity === quantity);
  const comparisons = sweep.comparisons.flatMap((comparison): SweepSummary["comparisons"] => {
    const { quantity, claim } = comparison;
    const [first, second] = [of(comparison.of, quantity), of(comparison.against, quantity)];
    if (first === undefined || second === undefined) return [];
    const difference = first.median - second.median;
    const fewest = Math.min(first.values.length, second.values.length);
    const interval = between(first.values, second.values, [comparison.of, comparison.against, quantity]);
    const isClear = fewest >= enoughSeeds && (interval[0] > 0 || interval[1] < 0);
    const agrees = claim === "higher" ? difference > 0 : difference < 0;
    return [{ ...comparison, unit: first.unit, difference, ...(fewest < 2 ? {} : { interval }), agrees, isClear }];
  });
  const failures = lines.flatMap(({ cell, status, error }) =>
    status === "failed" ? [{ cell, error: error ?? "no reason was given" }] : [],
  );
  return {
    format: 1,
    sweep: sweep.name,
    title: sweep.title,
    source: sweep.source,
    budget,
    label: sweep.budgets[budget]?.label ?? "",
    command: commandOf(sweep.name, budget, planned),
    planned: planned.length,
    finished: finished.length,
    medians,
    comparisons,
    trends: trendsOf(sweep, medians),
    failures,
    steps: finished[0]?.steps ?? 0,
    batchSize: finished[0]?.batchSize ?? 0,
    seconds: finished.reduce((sum, { seconds }) => sum + seconds, 0),
    device: [...new Set(finished.map(({ device }) => device))].join(", "),
    // Not when the report is written: a second one would give old figures a new date.
    created:
      lines
        .map((line) => line.created)
        .sort()
        .at(-1) ?? "",
    producer,
  };
}

function commandOf(name: string, budget: string, cells: readonly Cell[]): string {
  const files = cells.some(({ recipe }) => sourceNeedsFiles(recipe.data.source)) ? " --data DIR" : "";
  const plan = sweepNames().includes(name) ? name : `${name}.json`;
  return `cominfo sweep ${plan}${files}${budget === "full" ? "" : ` --budget ${budget}`}`;
}

/** Interval of the median of one group of seeds. */
function over(values: readonly number[], name: readonly string[]): [number, number] {
  const draw = stream(0, "sweep", ...name).integer;
  const statistic = (rows: Int32Array) => median(Array.from(rows, (row) => values[row]!));
  return bootstrapInterval(values.length, statistic, { draw, resamples });
}

/** Interval of the difference of the medians of two groups, each drawn again by itself. */
function between(first: readonly number[], second: readonly number[], name: readonly string[]): [number, number] {
  const random = stream(0, "sweep difference", ...name);
  const again = (values: readonly number[]) => median(values.map(() => values[random.integer(values.length)]!));
  return middleOf(Float64Array.from({ length: resamples }, () => again(first) - again(second)));
}
