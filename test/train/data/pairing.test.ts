import { expect, test } from "vitest";
import { UsageError } from "../../../schemas/errors.ts";
import { assignRoles, commonFactorBits, drawLabels } from "../../../train/data/pairing.ts";
import { stream } from "../../../train/random.ts";

const sizes = [
  { name: "shape", size: 3 },
  { name: "scale", size: 6 },
  { name: "orientation", size: 40 },
  { name: "position_x", size: 32 },
  { name: "position_y", size: 32 },
];
const assign = (roles: Parameters<typeof assignRoles>[1]) => assignRoles(sizes, roles, "open it");
const rolesOf = (roles: Parameters<typeof assignRoles>[1]): string =>
  assign(roles)
    .map(({ role }) => role[0])
    .join("");

test("a list that is left out is the rest of the factors", () => {
  expect(rolesOf({ unique: ["position_x", "position_y"] })).toBe("cccuu");
  expect(rolesOf({ common: ["position_x", "position_y"] })).toBe("uuucc");
  expect(rolesOf({ common: ["shape"], unique: ["position_x", "scale", "orientation", "position_y"] })).toBe("cuuuu");
  expect(rolesOf({ common: [] })).toBe("uuuuu");
  expect(rolesOf({})).toBe("ccccc");
});

test("roles that do not fit are refused by name", () => {
  expect(() => assign({ unique: ["positon_x"] })).toThrow(
    new UsageError('Cannot open it: unknown factor "positon_x", did you mean "position_x"?', { code: "invalid" }),
  );
  expect(() => assign({ common: ["shape"], unique: ["shape"] })).toThrow('factor "shape" must have one role');
  expect(() => assign({ common: ["shape"], unique: ["scale", "orientation", "position_x"] })).toThrow(
    "got neither for position_y",
  );
});

// design.md and papers.md: Common-dsprites 9.492 bits = log2(3 * 6 * 40); both positions 10 bits; nothing 0
test("common bits are the sum of log2 of the common sizes", () => {
  expect(commonFactorBits(assign({ unique: ["position_x", "position_y"] }))).toBeCloseTo(9.492, 3);
  expect(commonFactorBits(assign({ common: ["position_x", "position_y"] }))).toBe(10);
  expect(commonFactorBits(assign({ common: [] }))).toBe(0);
});

test("common factors agree in every pair, unique ones agree as often as chance says", () => {
  const factors = assign({ unique: ["shape", "position_y"] });
  const n = 30_000;
  const [first, second] = drawLabels(factors, n, stream(5, "pairs"));
  const agreement = (name: string): number => first[name]!.filter((v, i) => v === second[name]![i]).length / n;
  for (const name of ["scale", "orientation", "position_x"]) expect(agreement(name)).toBe(1);
  expect(Math.abs(agreement("shape") - 1 / 3)).toBeLessThan(4 * Math.sqrt(2 / 9 / n));
  expect(Math.abs(agreement("position_y") - 1 / 32)).toBeLessThan(4 * Math.sqrt(31 / 1024 / n));
});

test("every factor is uniform in both views, and factors are independent", () => {
  const n = 40_000;
  const views = drawLabels(assign({ unique: ["shape", "position_y"] }), n, stream(6, "pairs"));
  for (const labels of views) {
    for (const { name, size } of sizes) {
      const counts = new Array<number>(size).fill(0);
      for (const label of labels[name]!) counts[label]! += 1;
      const chiSquare = counts.reduce((sum, count) => sum + (count - n / size) ** 2 / (n / size), 0);
      expect(chiSquare, name).toBeLessThan(size - 1 + 4 * Math.sqrt(2 * (size - 1))); // mean + 4 deviations
    }
    const cells = new Array<number>(18).fill(0);
    for (let i = 0; i < n; i++) cells[labels.shape![i]! * 6 + labels.scale![i]!]! += 1;
    expect(cells.reduce((sum, count) => sum + (count - n / 18) ** 2 / (n / 18), 0)).toBeLessThan(40.8); // 0.1 %, 17
  }
});

test("a smaller draw is the beginning of a larger one, and the same address repeats", () => {
  const factors = assign({ unique: ["position_x"] });
  const large = drawLabels(factors, 64, stream(7, "pairs", 3));
  const small = drawLabels(factors, 10, stream(7, "pairs", 3));
  for (const { name } of sizes) {
    expect(small[0][name]).toEqual(large[0][name]!.slice(0, 10));
    expect(small[1][name]).toEqual(large[1][name]!.slice(0, 10));
  }
  expect(drawLabels(factors, 64, stream(7, "pairs", 3))).toEqual(large);
  expect(drawLabels(factors, 64, stream(7, "pairs", 4))).not.toEqual(large);
});
