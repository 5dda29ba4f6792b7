import { expect, test } from "vitest";
import { measureDisentanglement } from "../../../train/evaluate/measure-disentanglement.ts";
import { stream } from "../../../train/random.ts";

const rows = 1000;
const factors = [
  { name: "shape", size: 4, role: "common" },
  { name: "position", size: 5, role: "unique" },
] as const;

/** One latent a block; `hold` says which factor's label each block carries, with a little noise. */
function planted(hold: Record<"unique_1" | "common" | "unique_2", "shape" | "position" | "position_2">) {
  const random = stream(1, "planted");
  const draw = (size: number): Int32Array => Int32Array.from({ length: rows }, () => random.integer(size));
  const labels = { shape: draw(4), position: draw(5), position_2: draw(5) };
  const code = (block: keyof typeof hold) => ({
    rows,
    columns: 1,
    values: Float32Array.from(labels[hold[block]], (label) => label + 0.05 * random.normal()),
  });
  const codes = { unique_1_mean: code("unique_1"), common_mean: code("common"), unique_2_mean: code("unique_2") };
  const [shape, position] = [labels.shape, labels.position];
  return {
    codes,
    labels: [
      { shape, position },
      { shape, position: labels.position_2 },
    ] as const,
  };
}

const measured = (hold: Parameters<typeof planted>[0]) =>
  Object.fromEntries(
    measureDisentanglement(planted(hold), { seed: 0, factors, train: 800 })!.figures.map(({ quantity, value }) => [
      quantity,
      value,
    ]),
  );

test("a code that holds each factor in its own block scores 1 everywhere", () => {
  const found = measured({ unique_1: "position", common: "shape", unique_2: "position_2" });
  for (const quantity of ["purity", "purity.shape", "purity.position", "dci.informativeness"]) {
    expect(found[quantity], quantity).toBeGreaterThan(0.97);
  }
  expect(found["dci.disentanglement"]).toBeGreaterThan(0.9);
  expect(found["mig-hist20-means"]).toBeGreaterThan(0.9);
});

test("a factor in the wrong block has purity 0, though each latent is disentangled", () => {
  const found = measured({ unique_1: "shape", common: "position", unique_2: "position_2" });
  expect(found.purity).toBeLessThan(0.03);
  expect(found["dci.disentanglement"]).toBeGreaterThan(0.9);
});

test("scores of rows have an interval that holds them; those of the importance matrix say why they have none", () => {
  const { codes, labels } = planted({ unique_1: "position", common: "shape", unique_2: "position_2" });
  const logvar = { rows, columns: 1, values: new Float32Array(rows).fill(2 * Math.log(0.3)) };
  const posteriors = { ...codes, unique_1_logvar: logvar, common_logvar: logvar, unique_2_logvar: logvar };
  const { figures } = measureDisentanglement({ codes: posteriors, labels }, { seed: 0, factors, train: 800 })!;
  const pairs = Object.fromEntries(figures.map(({ quantity, n }) => [quantity, n]));
  expect(pairs).toMatchObject({ "mig-hist20-means": rows, "mig-chen": rows, "sap-linear-svc": 200 });
  expect(pairs).toMatchObject({ purity: 800, "dci.disentanglement": 800, "dci.informativeness": 200 });
  for (const { quantity, value, interval, estimator } of figures) {
    if (/^(purity|dci\.(dis|comp))/.test(quantity)) {
      expect([interval, estimator], quantity).toEqual([
        undefined,
        expect.stringContaining("; no interval: other pairs"),
      ]);
    } else {
      expect(interval![0], quantity).toBeLessThanOrEqual(value);
      expect(interval![1], quantity).toBeGreaterThanOrEqual(value);
    }
  }
});

test("families without unique blocks and sources with one factor have no such figures", () => {
  const { codes, labels } = planted({ unique_1: "position", common: "shape", unique_2: "position_2" });
  const options = { seed: 0, factors, train: 800 };
  expect(measureDisentanglement({ codes: { common_mean: codes.common_mean }, labels }, options)).toBeUndefined();
  expect(measureDisentanglement({ codes, labels }, { ...options, factors: factors.slice(0, 1) })).toBeUndefined();
});

test("mig-chen is measured where every block has a posterior", () => {
  const { codes, labels } = planted({ unique_1: "position", common: "shape", unique_2: "position_2" });
  const logvar = { rows, columns: 1, values: new Float32Array(rows).fill(2 * Math.log(0.05)) };
  const posteriors = { ...codes, unique_1_logvar: logvar, common_logvar: logvar, unique_2_logvar: logvar };
  const options = { seed: 0, factors, train: 800 };
  const find = (more: typeof codes) =>
    measureDisentanglement({ codes: more, labels }, options)!.figures.find(({ quantity }) => quantity === "mig-chen");
  expect(find(posteriors)!.value).toBeGreaterThan(0.9);
  expect(find(codes)).toBeUndefined();
});

test("a factor that never varies in the pairs is left out instead of stopping the evaluation", () => {
  const { codes, labels } = planted({ unique_1: "position", common: "shape", unique_2: "position_2" });
  const frame = new Int32Array(rows);
  const still = labels.map((ofView) => ({ ...ofView, frame })) as unknown as typeof labels;
  const more = [...factors, { name: "frame", size: 8, role: "unique" }] as const;
  const found = measureDisentanglement({ codes, labels: still }, { seed: 0, factors: more, train: 800 });
  expect(found!.importance.factors).toEqual(["shape", "position"]);
});
