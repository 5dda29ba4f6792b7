import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { createLanczos } from "../../../train/data/lanczos.ts";

const image = Uint8Array.from({ length: 96 * 96 }, (_, i) => (i * 7919 + Math.floor(i / 96) * (i % 96) * 31) % 256);

// Written down from Pillow 9.4: Image.fromarray(image).resize((n, n), Image.LANCZOS).
test.each([
  {
    side: 64,
    sha: "5fc09fe57ba7d06d97061e5d81741819b2765fc4dc86e4ac819d6bdbcd56c980",
    first: [117, 229, 196, 212, 159, 68],
  },
  {
    side: 32,
    sha: "67eb52211626cae62f647ce731b37df2396a74639bbee7ac596773a73f454424",
    first: [156, 191, 116, 71, 84, 127],
  },
])("96 to $side pixels is Pillow's antialiased image byte for byte", ({ side, sha, first }) => {
  const small = createLanczos({ height: 96, width: 96, channels: 1 }, { height: side, width: side })(image);
  expect(Array.from(small.subarray(0, 6))).toEqual(first);
  expect(createHash("sha256").update(small).digest("hex")).toBe(sha);
});

test("one colour stays that colour in each channel, and the same size is the same image", () => {
  const plain = Uint8Array.from({ length: 12 * 10 * 3 }, (_, i) => [0, 130, 255][i % 3]!);
  const small = createLanczos({ height: 12, width: 10, channels: 3 }, { height: 5, width: 4 })(plain);
  expect(small).toEqual(Uint8Array.from({ length: 5 * 4 * 3 }, (_, i) => [0, 130, 255][i % 3]!));
  const same = createLanczos({ height: 96, width: 96, channels: 1 }, { height: 96, width: 96 })(image);
  expect(same).toEqual(image);
});
