import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createRotator } from "../../../train/data/rotate.ts";

const patterned = Uint8Array.from({ length: 784 }, (_, i) => (i * 7919 + ((i * i) % 251)) % 256);

function turned(image: Uint8Array, degrees: number, [from, to]: [number, number]): Uint8Array {
  const target = new Uint8Array(to * to);
  createRotator(from, to)(image, degrees, target, 0);
  return target;
}

// sha256 of Image.frombytes("L", (28, 28), patterned).rotate(degrees, BILINEAR).resize((32, 32), BILINEAR).tobytes()
test.each([
  [0, "dfb89fe9730e125582a522844f2f4ca22632dd3565185e2968a84107881bff7f"],
  [30, "bdf0b10a485436b47dda413a72d1f65101098113eda08d053b205e8a6020c767"],
  [-45, "244bd398419d684224fe198597a7ca5977bd9dac46a230aebd410a1736256455"],
  [12.5, "5ae78988d89a113f2145c7cd572de6647da01e4bc09b011ad185d07abbeb3684"],
])("a rotation by %d degrees gives the bytes of Pillow 9.4.0", (degrees, sha256) => {
  expect(
    createHash("sha256")
      .update(turned(patterned, degrees, [28, 32]))
      .digest("hex"),
  ).toBe(sha256);
});

test("a rotation by 0 degrees without resize changes nothing", () => {
  expect(turned(patterned, 0, [28, 28])).toEqual(patterned);
});

test("positive angles turn counter-clockwise: the right end of a bar moves up", () => {
  const bar = new Uint8Array(784);
  bar.fill(255, 14 * 28 + 14, 14 * 28 + 28);
  const image = turned(bar, 45, [28, 28]);
  const mass = (rows: number): number => image.subarray(rows * 28, (rows + 14) * 28).reduce((sum, v) => sum + v, 0);
  expect(mass(0)).toBeGreaterThan(10 * 255);
  expect(mass(14)).toBeLessThan(3 * 255);
});

test("an enlarged constant image stays constant, so the resize weights sum to 1", () => {
  expect(new Set(turned(new Uint8Array(784).fill(200), 0, [28, 32]))).toEqual(new Set([200]));
});

test("a rotated image is written at its offset only", () => {
  const target = new Uint8Array(3 * 1024).fill(7);
  createRotator(28, 32)(patterned, 20, target, 1024);
  expect(new Set(target.subarray(0, 1024))).toEqual(new Set([7]));
  expect(new Set(target.subarray(2048))).toEqual(new Set([7]));
  expect(target.subarray(1024, 2048)).toEqual(turned(patterned, 20, [28, 32]));
});
