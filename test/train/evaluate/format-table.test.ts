import { expect, test } from "vitest";
import type { Figure } from "../../../schemas/manifest.ts";
import { formatTable } from "../../../train/evaluate/format-table.ts";

function figure(quantity: string, value: number, more: Partial<Figure> = {}): Figure {
  return { quantity, value, unit: "bits", estimator: "a test", n: 2000, seed: 1, ...more };
}

test("the closing table shows factors by blocks, rates, disagreement and what the recipe expects", () => {
  const text = formatTable({
    format: 1,
    experiment: "example",
    family: "gk-vae",
    seed: 1,
    step: 1200,
    steps: 1200,
    pairs: 10_000,
    data: {
      name: "dsprites",
      summary: "sprites",
      commonInformationBits: 1.585,
      factors: [
        { name: "shape", size: 3, role: "common" },
        { name: "orientation", size: 1, role: "common" },
        { name: "position_x", size: 8, role: "unique" },
      ],
      provenance: {},
    },
    figures: [
      figure("entropy.shape", 1.58),
      figure("usable.shape.common", 1.5, { minimum: 1.2, paper: 1.54, met: true }),
      figure("usable.shape.unique_1", 0.01),
      figure("usable.shape.unique_2", -0.02),
      figure("usable.shape.all", 1.55),
      figure("entropy.position_x", 3),
      figure("usable.position_x.common", 0.3, { maximum: 0.2, met: false }),
      figure("usable.position_x.unique_1", 2.5),
      figure("usable.position_x.unique_2", 2.4),
      figure("usable.position_x.all", 2.6),
      figure("rate.common", 6.25),
      figure("rate.unique_1", 5),
      figure("rate.unique_2", 10.125),
      figure("rate_aggregate.common.upper", 4.5),
      figure("rate_aggregate.unique_1.upper", 0.05),
      figure("rate_aggregate.unique_2.upper", 79.5),
      figure("disagreement.common", 0.123),
    ],
    notComputed: [{ quantity: "nwj", unit: "bits", estimator: "NWJ", reason: "its value is -Infinity" }],
    created: "2026-01-01T00:00:00Z",
    producer: "cominfo 0.1.0",
  });
  expect(text.split("\n")).toEqual([
    "Bits found by a linear probe in each block after 1,200 steps (2,000 test pairs)",
    "",
    "factor         is      entropy  common  unique_1  unique_2   all",
    "shape          common     1.58    1.50      0.01     -0.02  1.55",
    "position_x     unique     3.00    0.30      2.50      2.40  2.60",
    "rate                              6.25      5.00     10.13",
    "tells at most                     4.50      0.05     10.13",
    "",
    "The code unique_1 is empty: a drawn one tells at most 0.05 bits of its view; its rate of 5.00 is the distance of all codes together from the prior",
    "The encoders disagree on the common code by 0.12 bits a pair",
    "Common information of the factors drawn: 1.585 bits",
    "Not computed: nwj, its value is -Infinity",
    "",
    "Expected by the recipe:",
    "  usable.shape.common       1.50  at least 1.2  paper 1.54  met",
    "  usable.position_x.common  0.30  at most 0.2               NOT MET",
  ]);
});
