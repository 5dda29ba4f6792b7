import type { JointDistribution, Selection, Variable } from "./joint-distribution.ts";
import { regroup } from "./joint-operations.ts";

/** Dense table of two variables (or groups), symbols of probability 0 left out. */
export interface PairTable {
  readonly x: Variable;
  readonly y: Variable;
  /** [x.symbols, y.symbols] row-major */
  readonly table: Float64Array;
  /** [x.symbols], the marginal, each above 0. */
  readonly px: Float64Array;
  /** [y.symbols] */
  readonly py: Float64Array;
}

/** Cells at most: half a gigabyte. */
const mostCells = 2 ** 26;

/** O(outcomes + cells). @throws RangeError for a table of more than 2^26 cells */
export function pairTable(joint: JointDistribution, x: Selection, y: Selection): PairTable {
  const { variables, outcomes, probabilities } = regroup(joint, [x, y]);
  const [first, second] = [occurring(0), occurring(1)];
  const [m, n] = [first.variable.symbols.length, second.variable.symbols.length];
  if (m * n > mostCells) {
    throw new RangeError(
      `Cannot tabulate "${first.variable.name}" and "${second.variable.name}": there must be at most ${mostCells} cells, got ${m} x ${n}`,
    );
  }
  const table = new Float64Array(m * n);
  const [px, py] = [new Float64Array(m), new Float64Array(n)];
  for (const [at, probability] of probabilities.entries()) {
    const i = first.index.get(outcomes[2 * at]!)!;
    const j = second.index.get(outcomes[2 * at + 1]!)!;
    table[i * n + j] = probability;
    px[i]! += probability;
    py[j]! += probability;
  }
  return { x: first.variable, y: second.variable, table, px, py };

  function occurring(side: 0 | 1): { variable: Variable; index: ReadonlyMap<number, number> } {
    const used = new Set(outcomes.filter((_, at) => at % 2 === side));
    const kept = [...used].sort((a, b) => a - b);
    const { name, symbols } = variables[side]!;
    return {
      variable: { name, symbols: kept.map((symbol) => symbols[symbol]!) },
      index: new Map(kept.map((symbol, at) => [symbol, at])),
    };
  }
}
