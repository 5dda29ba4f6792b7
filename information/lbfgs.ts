export interface Minimum {
  readonly point: Float64Array;
  readonly value: number;
  readonly iterations: number;
  /** Whether the gradient fell below the tolerance, rather than the iterations or float64 running out. */
  readonly converged: boolean;
}

export interface LbfgsOptions {
  /** Largest absolute gradient component at which to stop. */
  readonly tolerance: number;
  readonly iterations: number;
}

const memory = 10;
const sufficientDecrease = 1e-4;

/**
 * Minimises a smooth convex function by limited-memory BFGS with a backtracking line search. Deterministic.
 *
 * Source: Nocedal & Wright 2006, "Numerical Optimization", algorithms 7.4, 7.5 and 3.1
 *
 * @param evaluate returns the value at `point` and writes the gradient there into `gradient`
 */
export function minimise(
  evaluate: (point: Float64Array, gradient: Float64Array) => number,
  start: Float64Array,
  { tolerance, iterations }: LbfgsOptions,
): Minimum {
  let point = Float64Array.from(start);
  let gradient = new Float64Array(start.length);
  let value = evaluate(point, gradient);
  const history: { step: Float64Array; change: Float64Array; curvature: number }[] = [];

  for (let k = 0; k < iterations; k++) {
    if (largest(gradient) <= tolerance) return { point, value, iterations: k, converged: true };

    const direction = descentDirection(gradient, history);
    const slope = dot(direction, gradient);
    // The first step has no curvature to go by: one unit of length.
    let length = k === 0 ? Math.min(1, 1 / Math.sqrt(dot(gradient, gradient))) : 1;
    let next = along(point, direction, length);
    let nextGradient = new Float64Array(start.length);
    let nextValue = evaluate(next, nextGradient);
    while (!(nextValue <= value + sufficientDecrease * length * slope)) {
      length /= 2;
      // Steps this short change nothing in float64: the minimum is as near as it can be told. Nor does NaN, which comes
      // of a gradient that overflows, and is never less.
      if (!(length >= 1e-12)) return { point, value, iterations: k, converged: false };
      next = along(point, direction, length);
      nextValue = evaluate(next, nextGradient);
    }

    const step = difference(next, point);
    const change = difference(nextGradient, gradient);
    const curvature = dot(step, change);
    if (curvature > 1e-16 * dot(change, change)) {
      history.push({ step, change, curvature });
      if (history.length > memory) history.shift();
    }
    point = next;
    [gradient, nextGradient] = [nextGradient, gradient];
    value = nextValue;
  }
  return { point, value, iterations, converged: largest(gradient) <= tolerance };
}

/** Minus the inverse Hessian, as the last steps tell it, times the gradient (the two-loop recursion). */
function descentDirection(
  gradient: Float64Array,
  history: readonly { step: Float64Array; change: Float64Array; curvature: number }[],
): Float64Array {
  const direction = gradient.map((value) => -value);
  const shares: number[] = [];
  for (const { step, change, curvature } of history.toReversed()) {
    const share = dot(step, direction) / curvature;
    shares.push(share);
    add(direction, change, -share);
  }
  const last = history.at(-1);
  if (last !== undefined) scale(direction, last.curvature / dot(last.change, last.change));
  for (const { step, change, curvature } of history) {
    const share = shares.pop()! - dot(change, direction) / curvature;
    add(direction, step, share);
  }
  return direction;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function add(target: Float64Array, other: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i]! += factor * other[i]!;
}

function scale(target: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i]! *= factor;
}

function along(point: Float64Array, direction: Float64Array, length: number): Float64Array<ArrayBuffer> {
  return Float64Array.from(point, (value, i) => value + length * direction[i]!);
}

function difference(a: Float64Array, b: Float64Array): Float64Array {
  return a.map((value, i) => value - b[i]!);
}

function largest(values: Float64Array): number {
  return values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}
