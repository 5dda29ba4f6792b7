/** A point of a polyhedral cone and what a unit of it is worth. */
export interface Column {
  readonly point: Float64Array;
  readonly value: number;
}

export interface Part<C extends Column> {
  readonly column: C;
  readonly weight: number;
}

/** Gains below this are rounding of the prices. */
const noGain = 1e-11;
/** A column leaves only along a slope that is more than rounding. */
const leastSlope = 1e-8;
/** How far below 0 a weight may go for the sake of a better conditioned basis. */
const feasibility = 1e-13;

/**
 * The best way to write a vector as a mixture of columns:
 *
 *   max_w sum_j w_j value_j   such that   sum_j w_j point_j = target,   w >= 0
 *
 * A linear programme whose columns may come one by one (column generation): after `optimise`, `prices` tells which new
 * column would help, namely one with value - <prices, point> above 0, and by how much at most. Revised simplex method,
 * largest reduced cost first. A basis has as many columns as `target` entries, so at most that many weights are above 0.
 *
 * Source: Bertsimas & Tsitsiklis 1997, "Introduction to Linear Optimization", sections 3.3, 3.4 and 6.1
 */
export class ConcaveEnvelope<C extends Column> {
  readonly #target: Float64Array;
  #pool: C[] = [];
  readonly #basis: C[];
  readonly #weights: Float64Array;
  #inverse: Float64Array[];

  /**
   * @param target [rows], each above 0
   * @param start [rows] columns, the k-th of them the k-th unit vector: the first basis
   */
  constructor(target: Float64Array, start: readonly C[]) {
    this.#target = target;
    this.#basis = [...start];
    this.#weights = Float64Array.from(target);
    this.#inverse = invert(this.#basis);
  }

  add(columns: Iterable<C>): void {
    for (const column of columns) this.#pool.push(column);
  }

  /**
   * Moves to the optimum over all columns so far, or near it where a degenerate programme makes rounding pivot in circles:
   * `largestGain` tells. O(columns x rows) a pivot.
   */
  optimise(): void {
    this.#refactorise();
    const unable = new Set<C>();
    for (let pivot = 0; pivot < 20 * this.#basis.length + this.#pool.length; pivot++) {
      const entering = this.#entering(unable);
      if (entering === undefined) break;
      if (this.#enter(entering) === undefined) unable.add(entering);
      if (pivot % 50 === 49) this.#refactorise();
    }
    this.#refactorise();
  }

  /** Whether the weights are a mixture still: rounding can spoil the basis of a degenerate programme. */
  get sound(): boolean {
    return this.#weights.every((weight) => weight > -1e-10);
  }

  /** The most that a unit of a column known so far still adds at the present prices: 0 at the optimum. */
  largestGain(): number {
    const prices = this.prices();
    return this.#pool.reduce((most, column) => Math.max(most, reducedValue(column, prices)), 0);
  }

  /** Forgets all but the `most` columns nearest to being worth their price, so that rounds do not grow dearer. */
  prune(most: number): void {
    if (this.#pool.length <= 2 * most) return;
    const prices = this.prices();
    const ranked = this.#pool.map((column) => ({ column, gain: reducedValue(column, prices) }));
    ranked.sort((a, b) => b.gain - a.gain);
    this.#pool = ranked.slice(0, most).map(({ column }) => column);
  }

  /** Columns of weight above 0. */
  parts(): Part<C>[] {
    return this.#basis
      .map((column, i) => ({ column, weight: this.#weights[i]! }))
      .filter(({ weight }) => weight > 1e-12);
  }

  /** Dual variables, [rows]: what a unit of each row is worth at the optimum. */
  prices(): Float64Array {
    const prices = new Float64Array(this.#target.length);
    for (const [i, { value }] of this.#basis.entries()) {
      const row = this.#inverse[i]!;
      for (let j = 0; j < prices.length; j++) prices[j]! += value * row[j]!;
    }
    return prices;
  }

  #entering(unable: ReadonlySet<C>): C | undefined {
    const prices = this.prices();
    let best: C | undefined;
    let gain = noGain;
    for (const column of this.#pool) {
      const reduced = reducedValue(column, prices);
      if (reduced <= gain || unable.has(column)) continue;
      best = column;
      gain = reduced;
    }
    return best;
  }

  /**
   * Exchanges a column of the basis. The ratio test is Harris's: among the columns that would leave within a rounding of
   * the first, the one with the largest slope, which keeps the basis well conditioned.
   *
   * @returns the length of the step; undefined where every slope is rounding, so that the column cannot enter
   */
  #enter(entering: C): number | undefined {
    const direction = this.#inverse.map((row) => dot(row, entering.point));
    let bound = Number.POSITIVE_INFINITY;
    for (const [i, slope] of direction.entries()) {
      if (slope > leastSlope) bound = Math.min(bound, (Math.max(0, this.#weights[i]!) + feasibility) / slope);
    }
    let leaving = -1;
    for (const [i, slope] of direction.entries()) {
      if (slope <= leastSlope || Math.max(0, this.#weights[i]!) / slope > bound) continue;
      if (leaving < 0 || slope > direction[leaving]!) leaving = i;
    }
    if (leaving < 0) return undefined;
    const step = Math.max(0, this.#weights[leaving]!) / direction[leaving]!;
    const pivotRow = this.#inverse[leaving]!;
    const slope = direction[leaving]!;
    for (let j = 0; j < pivotRow.length; j++) pivotRow[j]! /= slope;
    for (const [i, row] of this.#inverse.entries()) {
      if (i === leaving) continue;
      this.#weights[i]! -= step * direction[i]!;
      for (let j = 0; j < row.length; j++) row[j]! -= direction[i]! * pivotRow[j]!;
    }
    this.#weights[leaving] = step;
    this.#basis[leaving] = entering;
    return step;
  }

  /** Rounding grows with every pivot; this starts afresh from the basis itself. */
  #refactorise(): void {
    this.#inverse = invert(this.#basis);
    for (const [i, row] of this.#inverse.entries()) this.#weights[i] = dot(row, this.#target);
  }
}

/** What a unit of a column adds at these prices. */
export function reducedValue({ point, value }: Column, prices: Float64Array): number {
  return value - dot(prices, point);
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Rows of the inverse of the matrix of columns: Gauss-Jordan with partial pivoting. */
function invert(columns: readonly Column[]): Float64Array[] {
  const n = columns.length;
  const rows = Array.from({ length: n }, (_, i) => {
    const row = new Float64Array(2 * n);
    for (let j = 0; j < n; j++) row[j] = columns[j]!.point[i]!;
    row[n + i] = 1;
    return row;
  });
  for (let k = 0; k < n; k++) {
    let best = k;
    for (let i = k + 1; i < n; i++) if (Math.abs(rows[i]![k]!) > Math.abs(rows[best]![k]!)) best = i;
    [rows[k], rows[best]] = [rows[best]!, rows[k]!];
    const pivot = rows[k]!;
    const scale = 1 / pivot[k]!;
    for (let j = k; j < 2 * n; j++) pivot[j]! *= scale;
    for (let i = 0; i < n; i++) {
      const factor = rows[i]![k]!;
      if (i === k || factor === 0) continue;
      const row = rows[i]!;
      for (let j = k; j < 2 * n; j++) row[j]! -= factor * pivot[j]!;
    }
  }
  return rows.map((row) => row.slice(n));
}
