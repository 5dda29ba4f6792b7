import { expect, test } from "vitest";
import { dciInformativeness } from "../../../information/disentanglement/dci-informativeness.ts";
import { migChen } from "../../../information/disentanglement/mig-chen.ts";
import { migHist20Means } from "../../../information/disentanglement/mig-hist20-means.ts";
import { sapLinearSvc } from "../../../information/disentanglement/sap-linear-svc.ts";
import type { LabelledFactor, Score, ScoreOptions } from "../../../information/disentanglement/score.ts";
import { linearProbe } from "../../../information/linear-probe.ts";
import type { Matrix } from "../../../information/matrix.ts";
import { usableInformation } from "../../../information/usable-information.ts";
import { stream } from "../../../train/random.ts";
import { drawFactors, withDeviation } from "./planted-codes.ts";

const train = 300;

interface Drawn {
  readonly factors: readonly LabelledFactor[];
  readonly codes: Matrix;
  readonly seed: number;
}

/** Two factors, seen through noise by a latent each, and a third latent that sees a little of both. */
function draw(seed: number, rows = 900): Drawn {
  const factors = drawFactors(rows, { hue: 4, side: 2 }, seed);
  const { normal } = stream(seed, "score codes");
  const [hue, side] = factors.map(({ labels }) => labels);
  const values = new Float64Array(3 * rows);
  for (let i = 0; i < rows; i++) {
    const [h, s] = [hue![i]!, side![i]!];
    values.set([h + 0.4 * normal(), s + 0.4 * normal(), 0.5 * h + s + normal()], 3 * i);
  }
  return { factors, codes: { rows, columns: 3, values }, seed };
}

const scores: Readonly<Record<string, (drawn: Drawn, options?: ScoreOptions) => Score>> = {
  "mig-hist20-means": ({ codes, factors }, options) => migHist20Means(codes, factors, options),
  "sap-linear-svc": ({ codes, factors }, options) => sapLinearSvc(codes, factors, { train, ...options }),
  "mig-chen": ({ codes, factors, seed }, options) => {
    const { normal, permutation } = stream(seed, "mig-chen");
    return migChen(withDeviation(codes, 0.4), factors, { normal, permutation, samples: 300, ...options });
  },
  "dci-informativeness": ({ codes, factors }, options) => {
    const of = { train, classifier: linearProbe };
    return dciInformativeness(
      factors.map(({ labels, classes }) => usableInformation(codes, labels, { classes, ...of })),
      options,
    );
  },
};

const bootstrap = () => ({ draw: stream(1, "score intervals").integer });

for (const [name, score] of Object.entries(scores)) {
  test(`${name}: its interval holds the score and is about as wide as scores of fresh rows are spread`, () => {
    const first = draw(0);
    const { value, interval, parts, partIntervals } = score(first, { bootstrap: bootstrap() });
    const [low, high] = interval!;
    expect(low).toBeLessThan(value);
    expect(high).toBeGreaterThan(value);
    const values = Array.from({ length: 25 }, (_, i) => score(draw(i + 1)).value);
    const mean = values.reduce((sum, one) => sum + one, 0) / values.length;
    const spread = Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (values.length - 1));
    const ratio = (high - low) / (2 * 1.96 * spread);
    expect(ratio).toBeGreaterThan(0.5);
    expect(ratio).toBeLessThan(1.8);
    for (const [k, [least, most]] of (partIntervals ?? []).entries()) {
      expect(least, `part ${k}`).toBeLessThan(parts![k]!);
      expect(most, `part ${k}`).toBeGreaterThan(parts![k]!);
    }
    const plain = score(first);
    expect(plain.interval).toBeUndefined();
    expect([plain.value, plain.parts]).toEqual([value, parts]);
  });
}

test("a code that never varies has an interval of 0 to 0", () => {
  const { factors, codes, seed } = draw(0);
  const still = { factors, codes: { ...codes, values: new Float64Array(codes.values.length) }, seed };
  for (const name of ["mig-hist20-means", "sap-linear-svc", "mig-chen"]) {
    const { interval } = scores[name]!(still, { bootstrap: bootstrap() });
    for (const end of interval!) expect(end, name).toBeCloseTo(0, 9);
  }
});
