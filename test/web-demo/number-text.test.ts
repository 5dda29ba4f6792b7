import { expect, test } from "vitest";
import { fixed, sizeText } from "../../web-demo/number-text.ts";

test("fixed() keeps the sign of a number, and gives none to what rounds to zero", () => {
  expect(fixed(1.005, 1)).toBe("1.0");
  expect(fixed(-0.016, 2)).toBe("-0.02");
  expect(fixed(-0.004, 2)).toBe("0.00");
  expect(fixed(-0, 1)).toBe("0.0");
});

test("sizeText() is never 0.0 MB", () => {
  expect(sizeText(1_940_000)).toBe("1.9 MB");
  expect(sizeText(100_000)).toBe("0.1 MB");
  expect(sizeText(23_100)).toBe("24 kB");
  expect(sizeText(1)).toBe("1 kB");
});
