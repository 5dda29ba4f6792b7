import type { WeightedProduct } from "./exact-mixture.ts";

/** Largest factor of a parameter: beyond it a step of the line search would throw rare symbols away. */
const mostScale = 100;

/**
 * Products and their weights as one vector of logarithms, each distribution up to a constant, for a minimiser without
 * constraints. What is 0 at the start has no say and stays 0.
 *
 * [parts, 1 + rows + columns]: weight, x, y
 */
export class MixtureParameters {
  /** [parameters] */
  readonly start: Float64Array;
  /** [rows, columns] of the mixture at the present point. */
  readonly cells: Float64Array;
  readonly #free: Uint8Array;
  readonly #rows: number;
  readonly #columns: number;
  readonly #width: number;
  readonly #count: number;
  /** As `start`, the probabilities themselves. */
  readonly #values: Float64Array;

  constructor(parts: readonly WeightedProduct[], columns: number) {
    this.#rows = parts[0]!.x.length;
    this.#columns = columns;
    this.#width = 1 + this.#rows + columns;
    this.#count = parts.length;
    this.#values = Float64Array.from(parts.flatMap(({ weight, x, y }) => [weight, ...x, ...y]));
    this.#free = Uint8Array.from(this.#values, (value) => (value > 0 ? 1 : 0));
    this.start = this.#values.map((value) => (value > 0 ? Math.log(value) : 0));
    this.cells = new Float64Array(this.#rows * columns);
  }

  /** Moves to `point`: O(parts x cells). */
  at(point: Float64Array): this {
    this.#normalise(point, 0, this.#width, this.#count);
    this.cells.fill(0);
    for (let z = 0; z < this.#count; z++) {
      const x = z * this.#width + 1;
      const y = x + this.#rows;
      this.#normalise(point, x, 1, this.#rows);
      this.#normalise(point, y, 1, this.#columns);
      for (let i = 0; i < this.#rows; i++) {
        const share = this.#values[x - 1]! * this.#values[x + i]!;
        if (share === 0) continue;
        for (let j = 0; j < this.#columns; j++) this.cells[i * this.#columns + j]! += share * this.#values[y + j]!;
      }
    }
    return this;
  }

  parts(): WeightedProduct[] {
    return Array.from({ length: this.#count }, (_, z) => {
      const x = z * this.#width + 1;
      const y = x + this.#rows;
      return {
        weight: this.#values[x - 1]!,
        x: this.#values.slice(x, y),
        y: this.#values.slice(y, y + this.#columns),
      };
    });
  }

  /** Largest relative difference from a table, of its possible cells. */
  largestError(table: Float64Array): number {
    return table.reduce((most, p, c) => (p > 0 ? Math.max(most, Math.abs(this.cells[c]! - p) / p) : most), 0);
  }

  /** 1 / sqrt of the diagonal of the Hessian, roughly: in these units every parameter is about as steep. */
  scales(table: Float64Array, penalty: number): Float64Array {
    const steep = new Float64Array(this.#values.length);
    for (let z = 0; z < this.#count; z++) {
      const x = z * this.#width + 1;
      const y = x + this.#rows;
      const weight = this.#values[x - 1]!;
      steep[x - 1] = weight;
      for (let k = x; k < y + this.#columns; k++) steep[k] = weight * this.#values[k]!;
      for (const [c, p] of table.entries()) {
        if (p === 0) continue;
        const [i, j] = [x + Math.floor(c / this.#columns), y + (c % this.#columns)];
        const share = weight * this.#values[i]! * this.#values[j]!;
        for (const k of [x - 1, i, j]) steep[k]! += (penalty * share * share) / p;
      }
    }
    return steep.map((value) => Math.min(mostScale, 1 / Math.sqrt(value)));
  }

  /**
   * Writes the gradient of sum_c slopes_c q_c - sum_z w_z (H(a_z) + H(b_z)), the slopes held, and returns the sum of
   * entropies.
   */
  gradient(slopes: Float64Array, gradient: Float64Array): number {
    const [rows, columns, values] = [this.#rows, this.#columns, this.#values];
    const costs = new Float64Array(rows + columns);
    let entropies = 0;
    let mean = 0;
    for (let z = 0; z < this.#count; z++) {
      const x = z * this.#width + 1;
      const y = x + rows;
      const weight = values[x - 1]!;
      costs.fill(0);
      let cross = 0;
      for (let i = 0; i < rows; i++) {
        let cost = 0;
        for (let j = 0; j < columns; j++) {
          const slope = slopes[i * columns + j]!;
          cost += slope * values[y + j]!;
          costs[rows + j]! += slope * values[x + i]!;
        }
        costs[i] = cost;
        cross += cost * values[x + i]!;
      }
      const minusX = this.#respond({ from: x, to: y, weight, cross }, costs, gradient);
      const minusY = this.#respond({ from: y, to: y + columns, weight, cross }, costs.subarray(rows), gradient);
      entropies -= weight * (minusX + minusY);
      gradient[x - 1] = minusX + minusY + cross;
      mean += weight * gradient[x - 1]!;
    }
    for (let at = 0; at < gradient.length; at += this.#width) gradient[at] = values[at]! * (gradient[at]! - mean);
    return entropies;
  }

  /** Gradient of one distribution; returns minus its entropy, nats. */
  #respond(
    { from, to, weight, cross }: { from: number; to: number; weight: number; cross: number },
    costs: Float64Array,
    gradient: Float64Array,
  ): number {
    let minus = 0;
    for (let k = from; k < to; k++) {
      const p = this.#values[k]!;
      const slope = p > 0 ? Math.log(p) : 0;
      minus += p * slope;
      gradient[k] = slope + costs[k - from]!;
    }
    for (let k = from; k < to; k++) gradient[k]! = weight * this.#values[k]! * (gradient[k]! - minus - cross);
    return minus;
  }

  #normalise(point: Float64Array, from: number, stride: number, length: number): void {
    let top = Number.NEGATIVE_INFINITY;
    for (let k = 0, at = from; k < length; k++, at += stride) if (this.#free[at]) top = Math.max(top, point[at]!);
    let total = 0;
    for (let k = 0, at = from; k < length; k++, at += stride) {
      this.#values[at] = this.#free[at] ? Math.exp(point[at]! - top) : 0;
      total += this.#values[at]!;
    }
    for (let k = 0, at = from; k < length; k++, at += stride) this.#values[at]! /= total;
  }
}
