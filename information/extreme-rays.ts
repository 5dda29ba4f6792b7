/**
 * Extreme rays of the cone { w >= 0 : c . w = 0 for every constraint c }: all its elements are sums of multiples of them.
 * Double description method with the combinatorial test of adjacency. There can be exponentially many.
 *
 * Source: Fukuda & Prodon 1996, "Double description method revisited", propositions 2 and 7
 *
 * @param constraints [size] each
 * @param most gives up past so many rays
 * @returns rays that sum to 1, or undefined past `most`. O(constraints x most^3) at worst
 */
export function extremeRays(
  size: number,
  constraints: readonly Float64Array[],
  most: number,
): Float64Array[] | undefined {
  let rays = Array.from({ length: size }, (_, i) => {
    const ray = new Float64Array(size);
    ray[i] = 1;
    return ray;
  });
  for (const constraint of constraints) {
    const scale = constraint.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    const sides = rays.map((ray) => {
      const value = ray.reduce((sum, part, i) => sum + part * constraint[i]!, 0);
      return Math.abs(value) <= 1e-12 * scale ? 0 : value;
    });
    const supports = rays.map((ray) => ray.map((value) => (value > 0 ? 1 : 0)));
    const next = rays.filter((_, at) => sides[at] === 0);
    for (const [i, first] of rays.entries()) {
      if (sides[i]! <= 0) continue;
      for (const [j, second] of rays.entries()) {
        if (sides[j]! >= 0 || !adjacent(i, j, supports)) continue;
        const mixed = first.map((value, k) => value * -sides[j]! + second[k]! * sides[i]!);
        const sum = mixed.reduce((total, value) => total + value, 0);
        next.push(mixed.map((value) => value / sum));
        if (next.length > most) return undefined;
      }
    }
    rays = next;
  }
  return rays;
}

/** Two rays span a face of dimension 2 exactly if no third ray lives on the union of their supports. */
function adjacent(i: number, j: number, supports: readonly Float64Array[]): boolean {
  const [first, second] = [supports[i]!, supports[j]!];
  return supports.every((other, k) => {
    if (k === i || k === j) return true;
    for (let at = 0; at < other.length; at++) if (other[at]! > first[at]! + second[at]!) return true;
    return false;
  });
}
