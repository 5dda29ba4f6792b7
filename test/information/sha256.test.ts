import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, test } from "vitest";
import { sha256Words } from "../../information/sha256.ts";

const hex = (message: Uint8Array): string =>
  Array.from(sha256Words(message), (word) => word.toString(16).padStart(8, "0")).join("");

test("sha256Words() of abc is the digest of FIPS 180-4, appendix B.1", () => {
  const digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  expect(hex(new TextEncoder().encode("abc"))).toBe(digest);
});

test("sha256Words() agrees with node:crypto on any bytes, lengths around a block included", () => {
  const lengths = [0, 1, 54, 55, 56, 57, 63, 64, 65, 119, 120, 127, 128, 129].map((n) =>
    Uint8Array.from({ length: n }, (_, i) => i),
  );
  fc.assert(
    fc.property(fc.oneof(fc.constantFrom(...lengths), fc.uint8Array({ maxLength: 300 })), (message) => {
      expect(hex(message)).toBe(createHash("sha256").update(message).digest("hex"));
    }),
    { seed: 1, numRuns: 300, examples: lengths.map((message) => [message]) },
  );
});
