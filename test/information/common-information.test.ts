import { describe, expect, test } from "vitest";
import { doublySymmetricBinary, goldenMean, symmetricErasure } from "../../information/common-information-examples.ts";
import { entropyBits } from "../../information/entropy.ts";
import { gacsKorner } from "../../information/gacs-korner.ts";
import { type JointDistribution, jointFromOutcomes, jointFromRows } from "../../information/joint-distribution.ts";
import { coarsen, product } from "../../information/joint-operations.ts";
import { mutualInformationBits } from "../../information/mutual-information.ts";
import { wynerCells, wynerCommonInformation } from "../../information/wyner.ts";
import { stream } from "../../train/random.ts";
import { randomJoint, randoms, shared } from "./random-joint.ts";

const xy = { x: "x", y: "y" };
const seeded = () => ({ uniform: stream(1, "search").uniform });
const wyner = (joint: JointDistribution, sides: { x: string | string[]; y: string | string[] } = xy) =>
  wynerCommonInformation(joint, sides, seeded());

/** View 2's hue is view 1's moved by 1..5 of 10: the correlated hue of the GK-VAE paper's appendix F. */
function correlatedHue(name: string): JointDistribution {
  const cells = Array.from({ length: 50 }, (_, i) => [Math.floor(i / 5), (Math.floor(i / 5) + 1 + (i % 5)) % 10]);
  return jointFromRows([`${name}1`, `${name}2`], cells);
}

const view = (names: readonly string[], which: 1 | 2) => names.map((name) => `${name}${which}`);

describe("the exact common information of the paper's data sets", () => {
  const sets: [string, Record<string, number>, number][] = [
    ["Common-3dshapes", { scale: 8, shape: 4, orientation: 15 }, 8.907],
    ["Common-dsprites", { shape: 3, scale: 6, orientation: 40 }, 9.492],
    ["Common-dsprites with common position", { x: 32, y: 32 }, 10],
    ["MNIST add-one", { digit: 10 }, 3.322],
  ];
  test.each(sets)("%s: Gacs-Korner, mutual and Wyner information are all H(common)", (_, factors, bits) => {
    const names = Object.keys(factors);
    const joint = names.map((name) => shared(name, factors[name]!)).reduce(product);
    const [first, second] = [view(names, 1), view(names, 2)];
    expect(gacsKorner(joint, [first, second]).bits).toBeCloseTo(bits, 3);
    expect(mutualInformationBits(joint, first, second)).toBeCloseTo(bits, 3);
    expect(entropyBits(joint, first)).toBeCloseTo(bits, 3);
    const { bits: most, gapBits, converged } = wyner(joint, { x: first, y: second });
    expect(most).toBeCloseTo(bits, 3);
    expect(gapBits).toBeLessThan(1e-9);
    expect(converged).toBe(true);
  });

  test("independent unique factors beside the common one change nothing, in any of the three", () => {
    const unique = jointFromRows(
      ["u1", "u2"],
      Array.from({ length: 12 }, (_, i) => [i % 3, Math.floor(i / 3)]),
    );
    const joint = product(shared("c", 5), unique);
    const [first, second] = [view(["c", "u"], 1), view(["c", "u"], 2)];
    const bits = Math.log2(5);
    expect(gacsKorner(joint, [first, second]).bits).toBeCloseTo(bits, 12);
    expect(mutualInformationBits(joint, first, second)).toBeCloseTo(bits, 12);
    expect(wyner(joint, { x: first, y: second }).bits).toBeCloseTo(bits, 12);
  });

  test("correlated hues: each adds 1 bit of mutual information and none of Gacs-Korner, 11.907 against 8.907", () => {
    const hue = correlatedHue("hue");
    expect(gacsKorner(hue).bits).toBe(0);
    expect(mutualInformationBits(hue, "hue1", "hue2")).toBeCloseTo(1, 12);
    // Independent parts add: three hues, and the common factors.
    const common = 3 + 2 + Math.log2(15);
    expect(common + 3 * gacsKorner(hue).bits).toBeCloseTo(8.907, 3);
    expect(common + 3 * mutualInformationBits(hue, "hue1", "hue2")).toBeCloseTo(11.907, 3);
    // The sum is what a joint calculation gives, here with one hue and the scale.
    const both = product(shared("scale", 8), hue);
    const [first, second] = [view(["scale", "hue"], 1), view(["scale", "hue"], 2)];
    expect(gacsKorner(both, [first, second]).bits).toBeCloseTo(3, 12);
    expect(mutualInformationBits(both, first, second)).toBeCloseTo(4, 12);
  });

  test("appendix E, case 1, discretised: correlated noise raises mutual information, Gacs-Korner stays 1 bit", () => {
    // x = 10 c + n1, y = 10 c + n2, noise in 0..4; the noises agree with probability q, else differ by 1.
    const informations = [0.3, 0.6, 0.9].map((q) => {
      const outcomes = [0, 1].flatMap((c) =>
        [0, 1, 2, 3, 4].flatMap((n) =>
          (
            [
              [n, q],
              [(n + 1) % 5, (1 - q) / 2],
              [(n + 4) % 5, (1 - q) / 2],
            ] as const
          ).map(([other, p]) => [[10 * c + n, 10 * c + other], p / 10] as const),
        ),
      );
      const joint = jointFromOutcomes(["x", "y"], outcomes);
      expect(gacsKorner(joint).bits).toBeCloseTo(1, 12);
      return mutualInformationBits(joint, "x", "y");
    });
    expect(informations[0]!).toBeGreaterThan(1);
    expect(informations[1]!).toBeGreaterThan(informations[0]!);
    expect(informations[2]!).toBeGreaterThan(informations[1]! + 0.5);
  });
});

describe("gacsKorner()", () => {
  test("returns the common variable as a function of each variable", () => {
    const joint = jointFromRows(
      ["x", "y"],
      [
        ["a", 1],
        ["b", 1],
        ["c", 2],
        ["c", 3],
      ],
    );
    const { bits, componentOf, probabilities, variables } = gacsKorner(joint);
    expect(bits).toBe(1);
    expect([...probabilities]).toEqual([0.5, 0.5]);
    expect(componentOf.map((of) => [...of])).toEqual([
      [0, 0, 1],
      [0, 1, 1],
    ]);
    expect(variables.map(({ symbols }) => symbols)).toEqual([
      ["a", "b", "c"],
      ["1", "2", "3"],
    ]);
  });

  test("marks symbols that never occur, and is 0 for a single outcome", () => {
    const joint = jointFromOutcomes(
      ["x", "y"],
      [
        [["a", 0], 1],
        [["b", 1], 0],
      ],
    );
    expect(gacsKorner(joint).bits).toBe(0);
    expect([...gacsKorner(joint).componentOf[0]!]).toEqual([0, -1]);
  });

  test("is what all of several variables share, less than any two do", () => {
    const rows = Array.from({ length: 8 }, (_, i) => [i & 1, (i >> 1) & 1, (i >> 2) & 1]);
    const joint = jointFromRows(
      ["x", "y", "z"],
      rows.map(([a, b, c]) => [`${a}${b}`, `${a}${b}${c}`, `${a}${c}`]),
    );
    expect(gacsKorner(joint, ["x", "y"]).bits).toBeCloseTo(2, 12);
    expect(gacsKorner(joint, ["y", "z"]).bits).toBeCloseTo(2, 12);
    expect(gacsKorner(joint).bits).toBeCloseTo(1, 12);
    expect(gacsKorner(joint, ["y"]).bits).toBeCloseTo(entropyBits(joint, "y"), 12);
  });

  test("jumps to 0 with the first outcome that joins two components", () => {
    const joint = jointFromOutcomes(
      ["x", "y"],
      [
        [[0, 0], 0.5],
        [[1, 1], 0.5 - 1e-9],
        [[0, 1], 1e-9],
      ],
    );
    expect(gacsKorner(joint).bits).toBe(0);
    expect(mutualInformationBits(joint, "x", "y")).toBeGreaterThan(0.999);
  });
});

describe("wynerCommonInformation() meets the closed forms", () => {
  test.each([
    [0.05, 0.9421, 0.7136],
    [0.1, 0.8728, 0.531],
    [0.25, 0.6095, 0.1887],
    [0.4, 0.27, 0.029],
  ])(
    "doubly symmetric binary source, a = %s: %s bits against %s of mutual information and 0 Gacs-Korner",
    (a, c, i) => {
      const known = doublySymmetricBinary(a);
      expect(known.wynerBits).toBeCloseTo(c, 4);
      expect(known.mutualInformationBits).toBeCloseTo(i, 4);
      const found = wyner(known.joint);
      expect(found.bits).toBeCloseTo(known.wynerBits, 6);
      expect(found.dualBits).toBeCloseTo(known.wynerBits, 6);
      expect(found.bits).toBeGreaterThanOrEqual(known.wynerBits - 1e-9);
      expect(mutualInformationBits(known.joint, "x", "y")).toBeCloseTo(known.mutualInformationBits, 12);
      expect(gacsKorner(known.joint).bits).toBe(0);
    },
  );

  test.each([0, 0.3, 0.5, 0.7, 0.9, 1])("symmetric erasure, p = %s", (p) => {
    const known = symmetricErasure(p);
    expect(wyner(known.joint).bits).toBeCloseTo(known.wynerBits, 6);
    expect(mutualInformationBits(known.joint, "x", "y")).toBeCloseTo(known.mutualInformationBits, 12);
    expect(gacsKorner(known.joint).bits).toBeCloseTo(known.gacsKornerBits, 12);
  });

  test("golden-mean pair: 2/3", () => {
    const { joint, ...known } = goldenMean();
    expect(wyner(joint).bits).toBeCloseTo(2 / 3, 6);
    expect(mutualInformationBits(joint, "x", "y")).toBeCloseTo(known.mutualInformationBits, 12);
  });

  test("independent pairs need no common variable, identical ones the whole", () => {
    expect(wyner(doublySymmetricBinary(0.5).joint)).toMatchObject({ bits: 0, gapBits: 0, converged: true });
    expect(wyner(doublySymmetricBinary(0).joint)).toMatchObject({ bits: 1, gapBits: 0, converged: true });
  });

  test("sources out of range are refused", () => {
    expect(() => doublySymmetricBinary(0.6)).toThrow('"a" must be 0 .. 0.5, got 0.6');
    expect(() => symmetricErasure(Number.NaN)).toThrow('"p" must be 0 .. 1, got NaN');
  });
});

test("Gacs-Korner <= mutual information <= Wyner <= the smaller entropy, and Wyner's Z is what it says", () => {
  for (const joint of randoms) {
    const found = wyner(joint);
    const mutual = mutualInformationBits(joint, "x", "y");
    expect(gacsKorner(joint).bits).toBeLessThanOrEqual(mutual + 1e-12);
    expect(found.lowerBits).toBeCloseTo(mutual, 12);
    expect(mutual).toBeLessThanOrEqual(found.bits + 1e-9);
    expect(found.bits).toBeLessThanOrEqual(Math.min(entropyBits(joint, "x"), entropyBits(joint, "y")) + 1e-9);
    expect(found.converged).toBe(true);
    expect(found.bits - found.dualBits).toBeLessThan(2e-7);
    expect(found.residualBits).toBeLessThan(1e-12);
    expect(found.mixtureError).toBeLessThan(1e-10);
    expect(found.common.length).toBeLessThanOrEqual(joint.probabilities.length);
    // I(X, Y; Z) again, from the returned Z alone.
    const given = found.common.reduce(
      (sum, { probability, x, y }) => sum + probability * (entropyOf(x) + entropyOf(y)),
      0,
    );
    expect(entropyBits(joint) - given).toBeCloseTo(found.bits, 8);
  }
});

test("Wyner and Gacs-Korner information are symmetric, and repeat with their seed", () => {
  for (const joint of randoms.slice(0, 6)) {
    expect(wyner(joint, { x: "y", y: "x" }).bits).toBeCloseTo(wyner(joint).bits, 6);
    expect(gacsKorner(joint, ["y", "x"]).bits).toBeCloseTo(gacsKorner(joint, ["x", "y"]).bits, 12);
  }
  expect(wyner(randoms[2]!)).toEqual(wyner(randoms[2]!));
});

test("a function of one variable has no more in common with the other", () => {
  for (const joint of randoms) {
    const coarse = coarsen(joint, "x", (symbol) => (symbol === "x0" ? "x0" : "other"));
    expect(gacsKorner(coarse).bits).toBeLessThanOrEqual(gacsKorner(joint).bits + 1e-12);
    expect(wyner(coarse).bits).toBeLessThanOrEqual(wyner(joint).bits + 1e-6);
  }
});

test("few rounds end early and say so, with a value that still is an upper bound", () => {
  const exact = wyner(randoms[2]!);
  const early = wynerCommonInformation(randoms[2]!, xy, { ...seeded(), rounds: 3, fits: 0 });
  expect(early.converged).toBe(false);
  expect(early.bits).toBeGreaterThan(exact.bits);
  expect(early.dualBits).toBeLessThanOrEqual(exact.bits);
  expect(early.bits).toBeLessThanOrEqual(early.upperBits + 1e-12);
  expect(early.mixtureError).toBeLessThan(1e-12);
});

describe("Wyner's common information of a symmetric source, half of whose pairs agree by design", () => {
  /** p(x, y) = 0.5 / k^2 + 0.5 / k [x = y] */
  const symmetric = (k: number) =>
    jointFromOutcomes(
      ["x", "y"],
      Array.from({ length: k * k }, (_, cell) => {
        const [i, j] = [Math.floor(cell / k), cell % k];
        return [[i, j], 0.5 / k ** 2 + (i === j ? 0.5 / k : 0)] as const;
      }),
    );

  /** I(X, Y; Z) for Z uniform on k values, X and Y alike given Z: `share` on z, the rest uniform. It makes the source. */
  function byHand(k: number): number {
    const agree = 0.5 + 0.5 / k;
    // share^2 + (1 - share)^2 / (k - 1) = agree
    const share = (1 + Math.sqrt((k - 1) * (k * agree - 1))) / k;
    const given = -share * Math.log2(share) - (1 - share) * Math.log2((1 - share) / (k - 1));
    return entropyBits(symmetric(k)) - 2 * given;
  }

  test.each([
    [5, 1.58236],
    [7, 1.94453],
    [8, 2.08276],
    [9, 2.2021],
    [12, 2.48386],
  ])("%s x %s: at least as little as the variable made by hand, and as duality allows", (k, bits) => {
    const found = wyner(symmetric(k));
    expect(found.bits).toBeLessThan(byHand(k));
    expect(found.bits).toBeCloseTo(bits, 4);
    expect(found.bits - found.dualBits).toBeLessThan(1e-5);
    expect(found.converged).toBe(true);
    expect(found.mixtureError).toBeLessThan(1e-12);
    expect(found.residualBits).toBeLessThan(1e-12);
  });
});

test("a random 8 x 8 table is bounded from both sides within 0.02 bits, by a mixture that is the table", () => {
  const joint = randomJoint(3, ["x", "y"], { sizes: [8, 8] });
  const found = wynerCommonInformation(joint, xy, { ...seeded(), fits: 1 });
  expect(found.bits - found.dualBits).toBeLessThan(0.02);
  expect(found.bits).toBeLessThan(found.upperBits - 0.2);
  expect(found.mixtureError).toBeLessThan(1e-12);
  expect(found.residualBits).toBeLessThan(1e-12);
});

test("a sparse table of many cells keeps its impossible cells", () => {
  const joint = randomJoint(2, ["x", "y"], { sizes: [9, 9], zeros: 0.15 });
  const found = wynerCommonInformation(joint, xy, { ...seeded(), fits: 1 });
  expect(found.mixtureError).toBeLessThan(1e-12);
  expect(found.bits).toBeLessThan(found.upperBits);
  expect(found.dualBits).toBeGreaterThan(found.lowerBits);
  expect(found.bits - found.dualBits).toBeLessThan(0.1);
});

test("a large component of independent columns needs no search: a class and its 300 items share the class", () => {
  const rows = [0, 1].flatMap((group) =>
    Array.from({ length: 300 }, (_, item) => [group, `${group}-${item}`] as const),
  );
  const found = wyner(jointFromRows(["x", "y"], rows));
  expect(found).toMatchObject({ converged: true, bits: expect.closeTo(1, 12), gapBits: expect.closeTo(0, 12) });
  const independent = jointFromRows(
    ["x", "y"],
    Array.from({ length: 400 }, (_, at) => [at % 20, Math.floor(at / 20)] as const),
  );
  expect(wyner(independent).bits).toBe(0);
});

test("a table too large for Wyner's common information is refused", () => {
  const joint = randomJoint(1, ["x", "y"], { sizes: [17, 17] });
  expect(() => wyner(joint)).toThrow(`must have at most ${wynerCells} possible cells, got 17 x 17 symbols`);
});

test("a degenerate table of 50 cells, the correlated hue, is solved: 2.8484 bits", () => {
  const found = wyner(correlatedHue("hue"), { x: "hue1", y: "hue2" });
  expect(found.bits).toBeCloseTo(2.84843, 4);
  expect(found.bits - found.dualBits).toBeLessThan(1e-5);
  expect(found.residualBits).toBeLessThan(1e-12);
  expect(found.mixtureError).toBeLessThan(1e-10);
});

function entropyOf(p: Float64Array): number {
  return p.reduce((bits, value) => (value > 0 ? bits - value * Math.log2(value) : bits), 0);
}
