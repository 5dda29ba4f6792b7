import { expect, test } from "vitest";
import { usableByBlock } from "../../../information/disentanglement/usable-by-block.ts";
import { linearProbe } from "../../../information/linear-probe.ts";
import { drawFactors, plantCodes } from "./planted-codes.ts";

const factors = drawFactors(1500, { shape: 4, angle: 6, colour: 3 });
const [shape, angle, colour] = [0, 1, 2] as const;
const common = plantCodes(factors, (labels, n) => [labels[shape]! + 0.05 * n(), labels[angle]! + 0.05 * n()]);
const unique = plantCodes(factors, (labels, n) => [labels[colour]! + 0.05 * n()]);
const blocks = [
  { name: "common", codes: common },
  { name: "unique", codes: unique },
];

test("a factor is found in its block and in all of them, and not in the other", () => {
  const table = usableByBlock(blocks, factors, { train: 1000 });
  expect(table.map(({ factor, block }) => `${factor}.${block}`)).toEqual(
    ["shape", "angle", "colour"].flatMap((name) => [`${name}.common`, `${name}.unique`, `${name}.all`]),
  );
  const belongs: Record<string, string> = { shape: "common", angle: "common", colour: "unique" };
  for (const { factor, block, bits, entropyBits, estimator } of table) {
    expect(estimator).toContain("gradient-boosted trees");
    if (block === "all" || block === belongs[factor]) expect(bits).toBeGreaterThan(entropyBits - 0.05);
    else expect(bits).toBeLessThan(0.02);
  }
});

test("the same table with a linear probe names the probe", () => {
  const table = usableByBlock(blocks, factors.slice(2), { train: 1000, classifier: linearProbe });
  expect(table).toHaveLength(3);
  for (const { estimator } of table) expect(estimator).toContain("linear probe");
  expect(table[1]!.bits).toBeGreaterThan(1.5);
});

test("what only two blocks together tell is found in all of them alone", () => {
  const bits = drawFactors(1500, { first: 2, second: 2 });
  const exclusive = {
    name: "parity",
    classes: 2,
    labels: bits[0]!.labels.map((bit, i) => bit ^ bits[1]!.labels[i]!),
  };
  const halves = [0, 1].map((k) => ({
    name: `half ${k}`,
    codes: plantCodes(bits, (labels, n) => [labels[k]! + 0.1 * n()]),
  }));
  const [one, two, all] = usableByBlock(halves, [exclusive], { train: 1000 });
  expect(one!.bits).toBeLessThan(0.05);
  expect(two!.bits).toBeLessThan(0.05);
  expect(all!.bits).toBeGreaterThan(0.9);
});
