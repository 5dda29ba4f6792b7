import { expect, test } from "vitest";
import { frechetDistance } from "../../information/frechet-distance.ts";
import { symmetricEigen } from "../../information/symmetric-eigen.ts";
import { stream } from "../../train/random.ts";

const normals = (rows: number, columns: number, name: string) => {
  const random = stream(1, "frechet", name);
  return { rows, columns, values: Float64Array.from({ length: rows * columns }, () => random.normal()) };
};

test("the eigenvalues of [[2, 1], [1, 2]] are 1 and 3", () => {
  const { values } = symmetricEigen({ rows: 2, columns: 2, values: Float64Array.of(2, 1, 1, 2) });
  expect(values[0]).toBeCloseTo(1, 14);
  expect(values[1]).toBeCloseTo(3, 14);
});

test("eigenvectors are orthonormal and rebuild a random symmetric matrix of 20 rows, a singular one too", () => {
  for (const rank of [20, 7]) {
    const n = 20;
    const factor = normals(rank, n, "factor").values;
    const entries = Float64Array.from({ length: n * n }, (_, at) => {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += factor[k * n + Math.floor(at / n)]! * factor[k * n + (at % n)]!;
      return sum;
    });
    const { values, vectors } = symmetricEigen({ rows: n, columns: n, values: entries });
    const sum = (term: (k: number) => number) =>
      Array.from({ length: n }, (_, k) => term(k)).reduce((a, b) => a + b, 0);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        const rebuilt = sum((k) => vectors[i * n + k]! * values[k]! * vectors[j * n + k]!);
        expect(rebuilt).toBeCloseTo(entries[i * n + j]!, 10);
        expect(sum((k) => vectors[k * n + i]! * vectors[k * n + j]!)).toBeCloseTo(i === j ? 1 : 0, 12);
      }
    }
    expect(values.filter((value) => Math.abs(value) < 1e-10)).toHaveLength(n - rank);
  }
});

test("a matrix that is not square or not finite is refused", () => {
  expect(() => symmetricEigen({ rows: 1, columns: 2, values: Float64Array.of(1, 2) })).toThrow("must be square");
  expect(() => symmetricEigen({ rows: 1, columns: 1, values: Float64Array.of(Number.NaN) })).toThrow("finite");
});

test("a set has distance 0 from itself, and a shift by v has |v|^2", () => {
  const set = normals(200, 5, "set");
  expect(frechetDistance(set, set)).toBeCloseTo(0, 8);
  const moved = { ...set, values: set.values.map((value, at) => value + (at % 5)) };
  expect(frechetDistance(set, moved)).toBeCloseTo(0 + 1 + 4 + 9 + 16, 8);
});

test("scaling every feature by s adds (s - 1)^2 of the variance, and the distance is symmetric", () => {
  const set = normals(500, 4, "set");
  const centred = { ...set, values: set.values.slice() };
  for (let j = 0; j < 4; j++) {
    let mean = 0;
    for (let i = 0; i < 500; i++) mean += set.values[i * 4 + j]! / 500;
    for (let i = 0; i < 500; i++) centred.values[i * 4 + j]! -= mean;
  }
  const trace = centred.values.reduce((sum, value) => sum + value * value, 0) / 499;
  const scaled = { ...centred, values: centred.values.map((value) => 3 * value) };
  expect(frechetDistance(centred, scaled)).toBeCloseTo(4 * trace, 8);
  const other = normals(300, 4, "other");
  expect(frechetDistance(set, other)).toBeCloseTo(frechetDistance(other, set), 8);
});

test("sets of unlike widths or of one row are refused", () => {
  expect(() => frechetDistance(normals(3, 2, "a"), normals(3, 3, "b"))).toThrow("equally many columns");
  expect(() => frechetDistance(normals(1, 2, "a"), normals(3, 2, "b"))).toThrow("two rows");
});
