import { rankCorrelation } from "../../information/rank-correlation.ts";
import type { Sweep, SweepSummary, SweepTrend } from "../../schemas/sweep.ts";
import { stream } from "../random.ts";

/** Above this p-value a trend is not told from chance. */
const significance = 0.05;

/**
 * How a quantity goes with the number that the variants stand for: Spearman's rank correlation over all cells, and its
 * permutation test. One seed a variant is enough, since the variants are the sample. A trend with fewer than two
 * variants finished is left out.
 */
export function trendsOf(sweep: Sweep, medians: SweepSummary["medians"]): SweepTrend[] {
  return sweep.trends.flatMap(({ points: wanted, ...trend }): SweepTrend[] => {
    const points = wanted.flatMap(({ variant, at }) => {
      const row = medians.find((own) => own.variant === variant && own.quantity === trend.quantity);
      return row === undefined ? [] : [{ variant, at, values: row.values, unit: row.unit }];
    });
    if (points.length < 2) return [];
    const x = points.flatMap(({ at, values }) => values.map(() => at));
    const y = points.flatMap(({ values }) => values);
    const draw = stream(0, "sweep trend", trend.title, trend.quantity).integer;
    const { correlation, pValue } = rankCorrelation(x, y, { draw });
    const { claim } = trend;
    return [
      {
        ...trend,
        unit: points[0]!.unit,
        points: points.map(({ variant, at, values }) => ({ variant, at, values })),
        correlation,
        pValue,
        ...(claim === undefined ? {} : { agrees: claim === "rising" ? correlation > 0 : correlation < 0 }),
        isClear: pValue <= significance,
      },
    ];
  });
}
