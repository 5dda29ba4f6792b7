/** The plane in which points vary most. */
export interface Plane {
  /** [dims] */
  readonly centre: Float64Array;
  /** Two orthonormal directions, [dims] each; in one dimension the second is zero. */
  readonly axes: readonly [Float64Array, Float64Array];
  /** Share of the variance that lies in the plane, 0..1. */
  readonly share: number;
}

/**
 * First two principal components, by power iteration on the covariance with deflation: exact to rounding where the
 * leading variances differ, and any plane of equal variance is as good where they do not.
 *
 * @param values [rows, dims] row-major
 */
export function principalPlane(values: Float32Array, dims: number): Plane {
  const rows = values.length / dims;
  const centre = new Float64Array(dims);
  for (let i = 0; i < values.length; i++) centre[i % dims]! += values[i]! / rows;
  const covariance = Array.from({ length: dims }, () => new Float64Array(dims));
  for (let r = 0; r < rows; r++) {
    for (let i = 0; i < dims; i++) {
      const a = values[r * dims + i]! - centre[i]!;
      for (let j = 0; j < dims; j++) covariance[i]![j]! += (a * (values[r * dims + j]! - centre[j]!)) / rows;
    }
  }
  const total = covariance.reduce((sum, line, i) => sum + line[i]!, 0);
  const [first, firstVariance] = leading(covariance);
  for (const [i, line] of covariance.entries()) {
    for (let j = 0; j < dims; j++) line[j]! -= firstVariance * first[i]! * first[j]!;
  }
  const [second, secondVariance] = dims > 1 ? leading(covariance) : [new Float64Array(dims), 0];
  const share = total > 0 ? (firstVariance + secondVariance) / total : 1;
  return { centre, axes: [first, second], share: Math.min(1, share) };
}

function leading(matrix: readonly Float64Array[]): [Float64Array, number] {
  const dims = matrix.length;
  let vector = Float64Array.from(matrix, (_, i) => 1 + 0.1 * i);
  let length = 0;
  for (let step = 0; step < 500; step++) {
    const next = Float64Array.from(matrix, (line) => line.reduce((sum, value, j) => sum + value * vector[j]!, 0));
    length = Math.hypot(...next);
    if (length === 0) return [new Float64Array(dims), 0];
    vector = next.map((value) => value / length);
  }
  return [vector, length];
}
