import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createDspritesRenderer } from "../../../train/data/dsprites-renderer.ts";
import { imageInformation } from "../../../train/data/image-information.ts";

test("images that tell the common factor have all of its bits", () => {
  const { mutualBits, gacsKornerBits } = imageInformation(8, 5, (common, unique) => common * 5 + unique);
  expect(mutualBits).toBeCloseTo(3, 12);
  expect(gacsKornerBits).toBeCloseTo(3, 12);
});

test("values that always look the same count as one: orientation over a full turn with both ends", () => {
  // 40 values of which the last looks like the first: 38 masses of 1/40 and one of 2/40
  const bits = (38 / 40) * Math.log2(40) + (2 / 40) * Math.log2(20);
  const { mutualBits, gacsKornerBits } = imageInformation(40, 3, (common, unique) => (common % 39) * 3 + unique);
  expect(mutualBits).toBeCloseTo(bits, 12);
  expect(gacsKornerBits).toBeCloseTo(bits, 12);
});

test("images without the common factor share nothing", () => {
  const { mutualBits, gacsKornerBits } = imageInformation(6, 4, (_, unique) => unique);
  expect(mutualBits).toBeCloseTo(0, 12);
  expect(gacsKornerBits).toBe(0);
});

test("one shared image merges two values for Gács-Körner and costs little mutual information", () => {
  // Two values, each with 4 images of which one is common to both: each view is an erasure channel that keeps the
  // value with probability 3/4, so mutual information is (3/4)^2 bits and the common information nothing.
  const { mutualBits, gacsKornerBits } = imageInformation(2, 4, (common, unique) =>
    unique === 0 ? 0 : common * 4 + unique,
  );
  expect(mutualBits).toBeCloseTo(9 / 16, 12);
  expect(gacsKornerBits).toBe(0);
});

test("an image that one value gives more often than another tells something of it", () => {
  // p(image 0 | value) = 3/4 and 1/4: two binary symmetric channels with error 1/4 in a row have error 3/8
  const { mutualBits } = imageInformation(2, 4, (common, unique) => ((unique === 0) !== (common === 0) ? 0 : 1));
  expect(mutualBits).toBeCloseTo(1 + (3 / 8) * Math.log2(3 / 8) + (5 / 8) * Math.log2(5 / 8), 12);
});

/** Entropy of shape, scale and orientation if nothing but orientations 0 and 39 looks the same. */
const distinctBits = Math.log2(18) + (38 / 40) * Math.log2(40) + (2 / 40) * Math.log2(20);

/** Common-dsprites: shape, scale, orientation common; positions unique. */
function dsprites(
  size: 32 | 64,
  { scale, orientation, position }: Record<"scale" | "orientation" | "position", number>,
) {
  const render = createDspritesRenderer(size);
  const target = new Uint8Array(size * size);
  const [scales, orientations, positions] = [6 / scale, 40 / orientation, 32 / position];
  return imageInformation(3 * scales * orientations, positions * positions, (common, unique) => {
    const sprite = {
      shape: Math.floor(common / (scales * orientations)),
      scale: (Math.floor(common / orientations) % scales) * scale,
      orientation: (common % orientations) * orientation,
      x: Math.floor(unique / positions) * position,
      y: (unique % positions) * position,
    };
    render(sprite, target, 0);
    return createHash("md5").update(target).digest("base64");
  });
}

test("the quickstart's grid (3 scales, 1 orientation, 8 positions, 32x32) shares exactly log2 9 bits as images too", () => {
  const { mutualBits, gacsKornerBits } = dsprites(32, { scale: 2, orientation: 40, position: 4 });
  expect(mutualBits).toBeCloseTo(Math.log2(9), 12);
  expect(gacsKornerBits).toBeCloseTo(Math.log2(9), 12);
});

// With every position (10 s): 64x64 9.425 and 8.999 bits, 32x32 9.042 and 4.821 bits, of 9.492: see README.md.
test("Common-dsprites shares less as images than as factors, and less at 32x32 than at 64x64", () => {
  const [large, small] = [64, 32].map((size) => dsprites(size as 32 | 64, { scale: 1, orientation: 1, position: 4 }));
  for (const { mutualBits, gacsKornerBits } of [large!, small!]) {
    expect(gacsKornerBits).toBeLessThan(mutualBits);
    expect(mutualBits).toBeLessThan(distinctBits);
  }
  expect(small!.mutualBits).toBeLessThan(large!.mutualBits);
  expect(large!.mutualBits).toBeGreaterThan(distinctBits - 0.05);
});
