import fc from "fast-check";
import { expect, test } from "vitest";
import { chanceMutualInformationBits } from "../../information/chance-mutual-information.ts";
import { jointFromRows } from "../../information/joint-distribution.ts";
import { mutualInformationBits } from "../../information/mutual-information.ts";
import { stream } from "../../information/random.ts";

function columnOf(counts: readonly number[]): number[] {
  return counts.flatMap((count, symbol) => new Array<number>(count).fill(symbol));
}

function informationOf(x: readonly number[], y: readonly number[]): number {
  const joint = jointFromRows(
    ["x", "y"],
    x.map((symbol, row) => [symbol, y[row]!]),
  );
  return mutualInformationBits(joint, "x", "y");
}

function orders(symbols: readonly number[]): number[][] {
  if (symbols.length < 2) return [[...symbols]];
  return symbols.flatMap((symbol, at) => orders(symbols.toSpliced(at, 1)).map((rest) => [symbol, ...rest]));
}

test("is the mean over every order of one column, for all small counts", () => {
  for (const [x, y] of [
    [
      [2, 2],
      [1, 3],
    ],
    [
      [3, 2, 1],
      [1, 1, 4],
    ],
    [
      [1, 1, 1, 1, 1],
      [2, 3],
    ],
    [[6], [3, 3]],
  ] as const) {
    const all = orders(columnOf(y)).map((column) => informationOf(columnOf(x), column));
    const mean = all.reduce((sum, bits) => sum + bits, 0) / all.length;
    expect(chanceMutualInformationBits(x, y)).toBeCloseTo(mean, 12);
  }
});

test("is the whole entropy where every row has symbols of its own, not what the formula for frequent symbols says", () => {
  const ones = new Array<number>(1000).fill(1);
  expect(chanceMutualInformationBits(ones, ones)).toBeCloseTo(Math.log2(1000), 9);
});

test("agrees with shuffled columns of rare symbols", () => {
  const random = stream(3, "columns");
  const draw = (symbols: number) => Array.from({ length: 100 }, () => random.integer(symbols));
  const [x, y] = [draw(50), draw(50)];
  const counts = (column: readonly number[]) =>
    Array.from({ length: 50 }, (_, symbol) => column.filter((one) => one === symbol).length);
  const shuffled = Array.from({ length: 400 }, () => {
    const keys = y.map((symbol) => ({ symbol, key: random.uniform() })).sort((a, b) => a.key - b.key);
    return informationOf(
      x,
      keys.map(({ symbol }) => symbol),
    );
  });
  const mean = shuffled.reduce((sum, bits) => sum + bits, 0) / shuffled.length;
  const spread = Math.sqrt(shuffled.reduce((sum, bits) => sum + (bits - mean) ** 2, 0)) / shuffled.length;
  expect(Math.abs(chanceMutualInformationBits(counts(x), counts(y)) - mean)).toBeLessThan(5 * spread);
});

test("is (|X| - 1)(|Y| - 1) / (2 n) nats where every symbol is frequent, by the sum and by the series alike", () => {
  for (const rows of [3e4, 3e6, 2 ** 53]) {
    const [x, y] = [
      [rows / 2, rows / 2],
      [rows / 4, rows / 4, rows / 2],
    ];
    const expected = 2 / (2 * rows * Math.LN2);
    expect(chanceMutualInformationBits(x, y) / expected).toBeCloseTo(1, 3);
  }
});

test("ignores symbols that do not occur, is symmetric, and lies between 0 and the smaller entropy", () => {
  const counts = fc.array(fc.nat({ max: 30 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(counts, counts, fc.nat({ max: 3 }), (x, y, extra) => {
      const [a, b] = [x.reduce((sum, count) => sum + count, 1), y.reduce((sum, count) => sum + count, 1)];
      const first = [...x, 1 + Math.max(0, b - a)];
      const second = [...y, 1 + Math.max(0, a - b)];
      const bits = chanceMutualInformationBits(first, second);
      expect(bits).toBeGreaterThan(-1e-12);
      const entropy = (of: readonly number[]) => {
        const rows = of.reduce((sum, count) => sum + count, 0);
        return of.reduce((sum, count) => (count === 0 ? sum : sum - (count / rows) * Math.log2(count / rows)), 0);
      };
      expect(bits).toBeLessThanOrEqual(Math.min(entropy(first), entropy(second)) + 1e-9);
      expect(chanceMutualInformationBits(second, first)).toBeCloseTo(bits, 9);
      expect(chanceMutualInformationBits([...first, ...new Array<number>(extra).fill(0)], second)).toBe(bits);
    }),
    { seed: 1, numRuns: 200 },
  );
});
