import { describe, expect, test } from "vitest";
import { conditionalMutualInformationBits } from "../../information/conditional-mutual-information.ts";
import { extremeRays } from "../../information/extreme-rays.ts";
import { gacsKorner } from "../../information/gacs-korner.ts";
import { type JointDistribution, jointFromCounts, jointFromRows } from "../../information/joint-distribution.ts";
import { regroup } from "../../information/joint-operations.ts";
import { mutualInformationBits } from "../../information/mutual-information.ts";
import { partialInformation, redundancyMeasures } from "../../information/partial-information.ts";
import { redundancyAndBits } from "../../information/redundancy-and.ts";
import { redundancyBroja } from "../../information/redundancy-broja.ts";
import {
  andTask,
  imperfectRedundancyTask,
  redundantXorTask,
  uniqueTask,
  xorTask,
} from "../../information/redundancy-examples.ts";
import { griffithHoLimits, redundancyGriffithHoBits } from "../../information/redundancy-griffith-ho.ts";
import { redundancyMinimumBits } from "../../information/redundancy-minimum.ts";
import { redundancyPenalisedBits } from "../../information/redundancy-penalised.ts";
import { randomJoint } from "./random-joint.ts";

const given = { sources: ["x1", "x2"], target: "y" } as const;
const swapped = { sources: ["x2", "x1"], target: "y" } as const;

/** AND of n fair bits named x1 .. xn. */
function conjunction(n: number): JointDistribution {
  const rows = Array.from({ length: 2 ** n }, (_, i) => Array.from({ length: n }, (_, k) => (i >> k) & 1));
  const names = Array.from({ length: n }, (_, k) => `x${k + 1}`);
  return jointFromRows(
    [...names, "y"],
    rows.map((row) => [...row, Math.min(...row)]),
  );
}

describe("the canonical tasks: redundant, unique and synergistic bits by each definition", () => {
  // I_and, I_min: by hand. I_GH of AND (0.1226), of the sum (0), of pointwise unique (0), of three-way AND (0.0347): dit's
  // tests of its own numerical optimiser. BROJA: Bertschinger et al. 2014, table 1.
  const h = (p: number) => -p * Math.log2(p) - (1 - p) * Math.log2(1 - p);
  const andInformation = h(0.25) - 0.5;
  const imperfect = 1 - 0.501 * h(0.001 / 0.501);
  const tasks: [string, JointDistribution, Record<string, [number, number, number, number]>][] = [
    ["UNQ", uniqueTask(), { I_and: [0, 1, 1, 0], I_GH: [0, 1, 1, 0], I_min: [1, 0, 0, 1], BROJA: [0, 1, 1, 0] }],
    [
      "AND",
      andTask(),
      {
        I_and: [0, andInformation, andInformation, h(0.25) - 2 * andInformation],
        I_GH: [0.12256, 0.18872, 0.18872, 0.31128],
        I_min: [andInformation, 0, 0, 0.5],
        BROJA: [andInformation, 0, 0, 0.5],
      },
    ],
    ["XOR", xorTask(), { I_and: [0, 0, 0, 1], I_GH: [0, 0, 0, 1], I_min: [0, 0, 0, 1], BROJA: [0, 0, 0, 1] }],
    [
      "RDNXOR",
      redundantXorTask(),
      { I_and: [1, 0, 0, 1], I_GH: [1, 0, 0, 1], I_min: [1, 0, 0, 1], BROJA: [1, 0, 0, 1] },
    ],
    [
      "IMPERFECTRDN",
      imperfectRedundancyTask(),
      {
        I_and: [0, 1, imperfect, -imperfect],
        I_GH: [imperfect, 1 - imperfect, 0, 0],
        I_min: [imperfect, 1 - imperfect, 0, 0],
        BROJA: [imperfect, 1 - imperfect, 0, 0],
      },
    ],
    [
      "SUM",
      jointFromRows(
        ["x1", "x2", "y"],
        [
          [0, 0, 0],
          [0, 1, 1],
          [1, 0, 1],
          [1, 1, 2],
        ],
      ),
      { I_and: [0, 0.5, 0.5, 0.5], I_GH: [0, 0.5, 0.5, 0.5], I_min: [0.5, 0, 0, 1], BROJA: [0.5, 0, 0, 1] },
    ],
    [
      "pointwise unique",
      jointFromRows(
        ["x1", "x2", "y"],
        [
          [0, 1, 1],
          [1, 0, 1],
          [0, 2, 2],
          [2, 0, 2],
        ],
      ),
      { I_and: [0, 0.5, 0.5, 0], I_GH: [0, 0.5, 0.5, 0], I_min: [0.5, 0, 0, 0.5], BROJA: [0.5, 0, 0, 0.5] },
    ],
  ];
  const cases = tasks.flatMap(([name, joint, parts]) =>
    redundancyMeasures.map((measure) => [name, measure, joint, parts[measure]!] as const),
  );
  test.each(cases)("%s by %s", (_, measure, joint, [redundant, first, second, synergistic]) => {
    const found = partialInformation(joint, given, measure);
    expect(found.redundantBits).toBeCloseTo(redundant, 5);
    expect(found.uniqueBits[0]).toBeCloseTo(first, 5);
    expect(found.uniqueBits[1]).toBeCloseTo(second, 5);
    expect(found.synergisticBits).toBeCloseTo(synergistic, 5);
    expect(found.measure).toBe(measure);
  });

  test("IMPERFECTRDN: 0.99 bits by all but I_and", () => {
    expect(imperfect).toBeCloseTo(0.99, 2);
  });

  test("AND of three: I_GH is 0.0346 bits", () => {
    expect(redundancyGriffithHoBits(conjunction(3), { sources: ["x1", "x2", "x3"], target: "y" })).toBeCloseTo(
      0.0347,
      3,
    );
  });
});

const randoms = Array.from({ length: 16 }, (_, seed) =>
  randomJoint(seed, ["x1", "x2", "y"], {
    sizes: [
      [2, 2, 2],
      [3, 2, 2],
      [3, 3, 2],
      [2, 2, 3],
    ][seed % 4]!,
    zeros: seed % 3 ? 0.3 : 0,
  }),
);

const measures = [
  ["I_and", redundancyAndBits],
  ["I_GH", redundancyGriffithHoBits],
  ["I_min", redundancyMinimumBits],
] as const;

describe("the properties every redundancy must have, over random distributions", () => {
  test.each(measures)("%s: symmetry, self-redundancy, monotonicity, non-negativity", (_, redundancy) => {
    for (const joint of randoms) {
      const both = redundancy(joint, given);
      expect(redundancy(joint, swapped)).toBeCloseTo(both, 9);
      for (const source of given.sources) {
        const alone = redundancy(joint, { sources: [source], target: "y" });
        expect(alone).toBeCloseTo(mutualInformationBits(joint, source, "y"), 9);
        expect(both).toBeLessThanOrEqual(alone + 1e-9);
      }
      expect(both).toBeGreaterThanOrEqual(0);
    }
  });

  test("a third source never adds redundancy", () => {
    const joint = randomJoint(5, ["x1", "x2", "x3", "y"], { sizes: [2, 2, 2, 2], zeros: 0.3 });
    for (const [, redundancy] of measures) {
      const three = redundancy(joint, { sources: ["x1", "x2", "x3"], target: "y" });
      expect(three).toBeLessThanOrEqual(redundancy(joint, given) + 1e-9);
    }
  });

  test("BROJA: symmetry, and at most min I(X_i; Y) redundant, with a proved gap below 1e-6 bits", () => {
    for (const joint of randoms) {
      const { bits, uniqueBits, gapBits } = redundancyBroja(joint, given);
      const other = redundancyBroja(joint, swapped);
      expect(other.bits).toBeCloseTo(bits, 6);
      expect(other.uniqueBits[0]).toBeCloseTo(uniqueBits[1], 6);
      expect(bits).toBeGreaterThanOrEqual(0);
      for (const unique of uniqueBits) expect(unique).toBeGreaterThanOrEqual(0);
      expect(gapBits).toBeLessThan(1e-6);
      const [first, second] = given.sources.map((source) => mutualInformationBits(joint, source, "y"));
      expect(bits).toBeLessThanOrEqual(Math.min(first!, second!) + 1e-9);
    }
  });

  test("I_and <= I_GH <= BROJA's redundant part", () => {
    for (const joint of randoms) {
      const griffithHo = redundancyGriffithHoBits(joint, given);
      expect(redundancyAndBits(joint, given)).toBeLessThanOrEqual(griffithHo + 1e-9);
      expect(griffithHo).toBeLessThanOrEqual(redundancyBroja(joint, given).bits + 1e-6);
    }
  });

  test("the four parts add up, and unique and synergistic parts to the conditional information", () => {
    for (const joint of randoms) {
      for (const measure of redundancyMeasures) {
        const { redundantBits, uniqueBits, synergisticBits, totalBits } = partialInformation(joint, given, measure);
        expect(redundantBits + uniqueBits[0] + uniqueBits[1] + synergisticBits).toBeCloseTo(totalBits, 10);
        const conditional = conditionalMutualInformationBits(joint, { x: "x2", y: "y", given: "x1" });
        expect(uniqueBits[1] + synergisticBits).toBeCloseTo(conditional, 10);
      }
      expect(partialInformation(joint, given, "BROJA").synergisticBits).toBeGreaterThan(-1e-6);
    }
  });
});

test("with both sources as the target, I_and is the Gacs-Korner common information", () => {
  for (const seed of [1, 2, 3, 4]) {
    const pair = randomJoint(seed, ["x1", "x2"], { sizes: [4, 4], zeros: 0.65 });
    const copied = regroupedWithCopy(pair);
    expect(redundancyAndBits(copied, given)).toBeCloseTo(gacsKorner(pair).bits, 10);
  }
});

/** Adds y = (x1, x2). */
function regroupedWithCopy(pair: JointDistribution): JointDistribution {
  const { variables, outcomes, probabilities } = regroup(pair, ["x1", "x2"]);
  return {
    variables: [...variables, { name: "y", symbols: Array.from(probabilities, (_, at) => `${at}`) }],
    outcomes: Int32Array.from(
      [...probabilities.keys()].flatMap((at) => [outcomes[2 * at]!, outcomes[2 * at + 1]!, at]),
    ),
    probabilities,
  };
}

test("BROJA agrees with a search of the only free direction where there is one", () => {
  // Binary sources: given y, the couplings of two bits have one parameter each.
  const joint = randomJoint(21, ["x1", "x2", "y"], { sizes: [2, 2, 2] });
  const p = (i: number, j: number, y: number) => {
    const at = [...joint.probabilities.keys()].find(
      (k) => joint.outcomes[3 * k] === i && joint.outcomes[3 * k + 1] === j && joint.outcomes[3 * k + 2] === y,
    )!;
    return joint.probabilities[at]!;
  };
  const room = [0, 1].map((y) => [-Math.min(p(0, 0, y), p(1, 1, y)), Math.min(p(0, 1, y), p(1, 0, y))] as const);
  let least = Number.POSITIVE_INFINITY;
  const steps = 200;
  for (let a = 0; a <= steps; a++) {
    for (let b = 0; b <= steps; b++) {
      const shift = [a, b].map((n, y) => room[y]![0] + (n / steps) * (room[y]![1] - room[y]![0]));
      let negative = 0;
      for (const [i, j] of [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ] as const) {
        const cells = [0, 1].map((y) => Math.max(0, p(i, j, y) + (i === j ? shift[y]! : -shift[y]!)));
        for (const q of cells) if (q > 0) negative += q * Math.log2(q / (cells[0]! + cells[1]!));
      }
      least = Math.min(least, negative);
    }
  }
  const union = least + mutualInformationBits(joint, "y", "y");
  const shared = mutualInformationBits(joint, "x1", "y") + mutualInformationBits(joint, "x2", "y") - union;
  expect(redundancyBroja(joint, given).bits).toBeCloseTo(shared, 4);
  expect(redundancyBroja(joint, given).bits).toBeGreaterThanOrEqual(shared - 1e-6);
});

test("BROJA takes 8 x 8 symbols and a target of 4, and alphabets with symbols that never occur", () => {
  const large = redundancyBroja(randomJoint(1, ["x1", "x2", "y"], { sizes: [8, 8, 4], zeros: 0.2 }), given);
  expect(large.gapBits).toBeLessThan(1e-6);
  const joint = andTask();
  const padded = {
    ...joint,
    variables: joint.variables.map(({ name, symbols }) => ({ name, symbols: [...symbols, "never", "ever"] })),
  };
  expect(redundancyBroja(padded, given).bits).toBeCloseTo(redundancyBroja(joint, given).bits, 9);
});

test("extremeRays() of an orthant are its axes, of x1 + x2 = x3 + x4 the four pairs", () => {
  const asSets = (rays: Float64Array[] | undefined) => rays!.map((ray) => [...ray].join(" ")).sort();
  expect(asSets(extremeRays(2, [], 10))).toEqual(["0 1", "1 0"]);
  const pairs = extremeRays(4, [Float64Array.of(1, 1, -1, -1)], 10);
  expect(asSets(pairs)).toEqual(["0 0.5 0 0.5", "0 0.5 0.5 0", "0.5 0 0 0.5", "0.5 0 0.5 0"]);
  expect(extremeRays(4, [Float64Array.of(1, 1, -1, -1)], 3)).toBeUndefined();
});

test("I_GH refuses tables beyond its limits, all an unknown name", () => {
  const large = randomJoint(1, ["x1", "x2", "y"], { sizes: [4, 4, 4] });
  expect(() => redundancyGriffithHoBits(large, given)).toThrow(
    `Cannot compute the Griffith-Ho redundancy: there must be at most ${griffithHoLimits.outcomes} outcomes, got 64`,
  );
  const rays = randomJoint(1, ["x1", "x2", "y"], { sizes: [3, 3, 3] });
  expect(() => redundancyGriffithHoBits(rays, given)).toThrow("at most 3000 extreme rays, got more from 27 outcomes");
  const many = jointFromRows(
    ["x1", "x2", "y"],
    Array.from({ length: 400 }, (_, i) => [i, 399 - i, i % 2]),
  );
  expect(() => redundancyBroja(many, given)).toThrow("at most 400 marginal sums and 60000 cells, got 800 and 80000");
  for (const measure of redundancyMeasures) {
    expect(() => partialInformation(andTask(), { sources: ["x1", "z"], target: "y" }, measure)).toThrow('got "z"');
  }
});

test("no source is refused alike by every measure", () => {
  const none = { sources: [], target: "y" };
  const measures = [
    () => redundancyAndBits(andTask(), none),
    () => redundancyGriffithHoBits(andTask(), none),
    () => redundancyMinimumBits(andTask(), none),
    () => redundancyPenalisedBits(andTask(), none, 1),
    // A caller in JavaScript may hand over less than the pair that the type asks for.
    () => redundancyBroja(andTask(), none as unknown as typeof given),
    () => partialInformation(andTask(), none as unknown as typeof given, "I_and"),
  ];
  for (const measure of measures) {
    const wanted = "Cannot compute a redundancy: there must be at least one source, got none";
    expect(measure).toThrow(new RangeError(wanted));
  }
});

test("BROJA states a gap above 1e-6 where the counts range so widely that float64 proves no less", () => {
  const variables = [3, 2, 2].map((size, k) => ({
    name: ["a", "b", "y"][k]!,
    symbols: Array.from({ length: size }, (_, i) => `${i}`),
  }));
  const joint = jointFromCounts(variables, [3, 0, 3, 409, 94306, 0, 10, 19212, 0, 0, 4830, 1664]);
  const { gapBits, bits, uniqueBits } = redundancyBroja(joint, { sources: ["a", "b"], target: "y" });
  expect(gapBits).toBeGreaterThan(0);
  expect(gapBits).toBeLessThan(1e-5);
  expect(bits + uniqueBits[0]).toBeCloseTo(mutualInformationBits(joint, "a", "y"), 12);
});

test("I_GH of a full 4 x 3 x 2 table is found; beyond its reach it says between what it lies", () => {
  const found = redundancyGriffithHoBits(randomJoint(1, ["x1", "x2", "y"], { sizes: [4, 3, 2] }), given);
  expect(found).toBeGreaterThanOrEqual(0);
  const large = randomJoint(1, ["x1", "x2", "y"], { sizes: [3, 3, 3] });
  const most = Math.min(...given.sources.map((source) => mutualInformationBits(large, source, "y")));
  expect(() => redundancyGriffithHoBits(large, given)).toThrow(
    `at most 3000 extreme rays, got more from 27 outcomes; it lies between 0.0000 (I_and) and ${most.toFixed(4)} bits`,
  );
});
