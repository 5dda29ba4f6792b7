import { expect, test } from "vitest";
import type { Figure } from "../../../../schemas/manifest.ts";
import { estimatesSection } from "../../../../train/evaluate/report/estimates-section.ts";

const figure: Figure = { quantity: "rate.common", unit: "bits", value: 1, estimator: "mean KL", n: 100, seed: 1 };

test("a figure that came to no number stands in the report with its reason; without one there is no such list", () => {
  const notComputed = [
    { quantity: "mutual_information.views.nwj", unit: "bits", estimator: "NWJ", reason: "its value is -Infinity" },
  ];
  const { text } = estimatesSection([figure], { seed: 1, notComputed });
  expect(text).toContain("<h3>Not computed</h3>");
  expect(text).toContain("<code>mutual_information.views.nwj</code></dt><dd>its value is -Infinity (NWJ)</dd>");
  expect(estimatesSection([figure], { seed: 1 }).text).not.toContain("Not computed");
});
