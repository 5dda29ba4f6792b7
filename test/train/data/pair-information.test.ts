import { expect, test } from "vitest";
import { cellInformation, pairInformation } from "../../../train/data/pair-information.ts";

test("pairInformation() knows identity, independence, blocks, and a value that never occurs", () => {
  const known = (joint: number[][], gacsKornerBits: number, mutualBits: number): void => {
    const found = pairInformation(joint);
    expect(found.gacsKornerBits).toBeCloseTo(gacsKornerBits, 12);
    expect(found.mutualBits).toBeCloseTo(mutualBits, 12);
  };
  known(
    [
      [0.5, 0],
      [0, 0.5],
    ],
    1,
    1,
  );
  known(
    [
      [0.25, 0.25],
      [0.25, 0.25],
    ],
    0,
    0,
  );
  known(
    [
      [0.5, 0, 0],
      [0, 0.25, 0.25],
      [0, 0, 0],
    ],
    1,
    1,
  );
  // DSBS(0.1): no common information, 1 - h(0.1) of mutual
  known(
    [
      [0.45, 0.05],
      [0.05, 0.45],
    ],
    0,
    0.5310044064107188,
  );
  // a chain of overlaps joins everything, though first and last share no neighbour
  known(
    [
      [0.2, 0.1, 0, 0],
      [0, 0.2, 0.1, 0],
      [0, 0, 0.2, 0.2],
    ],
    0,
    pairInformation([
      [0.2, 0.1, 0, 0],
      [0, 0.2, 0.1, 0],
      [0, 0, 0.2, 0.2],
    ]).mutualBits,
  );
  // joined late: rows 0 and 1 apart, row 2 bridges them
  known(
    [
      [0.3, 0, 0],
      [0, 0, 0.3],
      [0.2, 0, 0.2],
    ],
    0,
    0.6 * Math.log2(2),
  );
});

test("cellInformation() of a table's cells is pairInformation() of the table, whatever its values are called", () => {
  const joint = [
    [2 / 8, 1 / 8, 0, 0],
    [1 / 8, 0, 0, 0],
    [0, 0, 2 / 8, 0],
    [0, 0, 0, 2 / 8],
  ];
  const [firsts, seconds] = [
    [0, 3, 9, 4],
    [5, 7, 2, 4],
  ];
  const cells = joint.flatMap((row, one) =>
    row.map((mass, other) => ({ first: firsts[one]!, second: seconds[other]!, mass })),
  );
  const information = cellInformation(cells.filter(({ mass }) => mass > 0));
  expect(information.gacsKornerBits).toBeCloseTo(1.5, 12); // components of mass 1/2, 1/4, 1/4
  expect(information.mutualBits).toBeCloseTo(pairInformation(joint).mutualBits, 12);
});
