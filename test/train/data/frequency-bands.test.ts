import { expect, test } from "vitest";
import { createFrequencyBands } from "../../../train/data/frequency-bands.ts";
import { stream } from "../../../train/random.ts";

/** What numpy's fft2 of 8x8 makes of the image below with |k| <= 1, cast to uint8 as numpy does on x86 and Arm. */
const image = Uint8Array.from({ length: 64 }, (_, i) => (i * 37 + 11 * Math.floor(i / 8) ** 2) % 256);
const lowRow0 = [39, 69, 124, 171, 183, 152, 98, 51];
const highRow0 = [217, 224, 206, 196, 221, 32, 123, 208];
const highRow5 = [82, 129, 177, 222, 1, 30, 55, 85];

function bands(from: Uint8Array, options: Parameters<typeof createFrequencyBands>[1], size = 8) {
  const [low, high] = [new Uint8Array(from.length), new Uint8Array(from.length)];
  createFrequencyBands(size, options).split(from, low, high);
  return { low, high };
}

test("the bands are numpy's, and negative values wrap as in the authors' cast", () => {
  const { low, high } = bands(image, { channels: 1, radius: 1, cast: "wrap" });
  expect([...low.slice(0, 8)]).toEqual(lowRow0);
  expect([...high.slice(0, 8)]).toEqual(highRow0);
  expect([...high.slice(40, 48)]).toEqual(highRow5);
});

test("with shift the bands add up to the image plus 128, up to rounding, where nothing is clipped", () => {
  const random = stream(2, "bands");
  const from = Uint8Array.from({ length: 16 * 16 * 3 }, () => 100 + random.integer(60));
  const { low, high } = bands(from, { channels: 3, radius: 2, cast: "shift" }, 16);
  for (const [i, value] of from.entries()) expect(Math.abs(low[i]! + high[i]! - 128 - value)).toBeLessThanOrEqual(1);
});

test("an even picture is all low frequencies, a chessboard all high ones, channel by channel", () => {
  const from = Uint8Array.from({ length: 8 * 8 * 2 }, (_, i) => {
    const [pixel, channel] = [Math.floor(i / 2), i % 2];
    return channel === 0 ? 90 : ((pixel % 8) + Math.floor(pixel / 8)) % 2 === 0 ? 100 : 60;
  });
  const { low, high } = bands(from, { channels: 2, radius: 1, cast: "shift" });
  for (let i = 0; i < from.length; i++) {
    expect(low[i]).toBe(i % 2 === 0 ? 90 : 80);
    expect(high[i]).toBe(i % 2 === 0 ? 128 : 128 + from[i]! - 80);
  }
});
