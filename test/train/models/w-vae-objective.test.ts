import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import type { WVaeConfig } from "../../../schemas/w-vae-config.ts";
import { buildStep } from "../../../train/engine/step.ts";
import type { Networks } from "../../../train/models/family.ts";
import { wVae } from "../../../train/models/w-vae.ts";
import { featureOf } from "../../../train/models/w-vae-networks.ts";
import { inputsOf, localWeight, plainMlp, smallConfig, smallNetworks, softmaxParts, termsOf } from "./w-vae-setup.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => tf.disposeVariables());

type Rows = readonly (readonly number[])[];

/** The objective again, in float64 loops over lists, one pair at a time. */
function plainTerms(networks: Networks, config: WVaeConfig, phase: "joint" | "marginal"): Record<string, number> {
  const { batch, noise } = inputsOf(config, 4);
  const rowsOf = (tensor: tf.Tensor) => tensor.arraySync() as number[][];
  const [x, y] = [rowsOf(featureOf(networks, batch.view_1!)), rowsOf(featureOf(networks, batch.view_2!))];
  const { common, unique } = config.latents;
  const k = { common: common.values!, unique: unique.values ?? 1 };
  const total: Record<string, number> = {};
  const add = (name: string, value: number): void => {
    total[name] = (total[name] ?? 0) + value / 4;
  };
  for (let row = 0; row < 4; row++) {
    const draw = (logits: readonly number[], values: number, name: string) =>
      softmaxParts(
        logits.map((value, i) => (value + rowsOf(noise[name]!)[row]![i]!) / 0.7),
        values,
      );
    const error = (truth: Rows, view: number, code: readonly number[]): number =>
      plainMlp(networks, `decoder_${view}`, code).reduce((sum, value, i) => sum + (value - truth[row]![i]!) ** 2, 0) /
      config.noiseVariance;
    if (phase === "joint") {
      const pair = [...x[row]!, ...y[row]!];
      const qz = plainMlp(networks, "joint.common", pair);
      const z = draw(qz, k.common, "noise_common");
      add("rate_common", rate(qz, k.common));
      for (const [view, truth] of [
        [1, x],
        [2, y],
      ] as const) {
        const q = plainMlp(networks, `joint.unique_${view}`, pair);
        add(`rate_unique_${view}`, rate(q, k.unique));
        add("reconstruction", error(truth, view, [...z, ...draw(q, k.unique, `noise_unique_${view}`)]));
      }
    } else {
      for (const [view, truth] of [
        [1, x],
        [2, y],
      ] as const) {
        const qz = plainMlp(networks, `marginal_${view}.common`, truth[row]!);
        const z = draw(qz, k.common, view === 1 ? "noise_common" : "noise_common_2");
        const read = config.uniqueReadsCommon ? [...truth[row]!, ...z] : truth[row]!;
        const q = plainMlp(networks, `marginal_${view}.unique`, read);
        add(`rate_common_${view}`, rate(qz, k.common));
        add(`rate_unique_${view}`, rate(q, k.unique));
        add(`reconstruction_${view}`, error(truth, view, [...z, ...draw(q, k.unique, `noise_unique_${view}`)]));
      }
    }
  }
  const weight = (name: string): number => {
    if (name === "rate_common") return 1 + config.lambda;
    return phase === "joint" && name.startsWith("rate_unique") ? localWeight : 1;
  };
  return { ...total, loss: Object.entries(total).reduce((sum, [name, value]) => sum + weight(name) * value, 0) };
}

const rate = (logits: readonly number[], values: number): number =>
  softmaxParts(logits, values).reduce((sum, q) => sum + q * Math.log(q * values), 0);

for (const phase of ["joint", "marginal"] as const) {
  for (const changes of [{}, { lambda: 0.5, noiseVariance: 0.01, uniqueReadsCommon: false }]) {
    test(`every term of phase ${phase} is the paper's, by loops in float64 (${JSON.stringify(changes)})`, () => {
      const config = smallConfig(changes);
      const networks = smallNetworks(config);
      const [got, wanted] = [termsOf(networks, config, phase), plainTerms(networks, config, phase)];
      expect(Object.keys(got).sort()).toEqual(Object.keys(wanted).sort());
      for (const [name, value] of Object.entries(wanted)) expect(got[name]! / value, name).toBeCloseTo(1, 4);
      for (const [name, value] of Object.entries(got)) if (name.startsWith("rate")) expect(value).toBeGreaterThan(0.1);
    });
  }
}

test("the mean reduction divides the squared error by the number of features", () => {
  const networks = smallNetworks(smallConfig());
  const sum = termsOf(networks, smallConfig(), "joint").reconstruction!;
  expect(termsOf(networks, smallConfig({ errorReduction: "mean" }), "joint").reconstruction! * 5).toBeCloseTo(sum, 1);
});

test("a Gaussian W-VAE has the closed-form rates of its posteriors", () => {
  const latents = { kind: "gaussian", common: { variables: 2 }, unique: { variables: 1 } };
  const config = smallConfig({ latents });
  const networks = smallNetworks(config);
  const { batch } = inputsOf(config, 4);
  const [x, y] = [featureOf(networks, batch.view_1!), featureOf(networks, batch.view_2!)];
  const pairs = tf.concat([x, y], 1).arraySync() as number[][];
  const wanted = pairs.reduce((sum, pair) => {
    const [m0, m1, v0, v1] = plainMlp(networks, "joint.common", pair) as [number, number, number, number];
    const one = (m: number, v: number): number => 0.5 * (m * m + Math.exp(v) - v - 1);
    return sum + (one(m0, v0) + one(m1, v1)) / 4;
  }, 0);
  expect(termsOf(networks, config, "joint").rate_common).toBeCloseTo(wanted, 4);
});

test("without local latents (the JVAE) only the common rate costs", () => {
  const config = smallConfig({
    latents: { kind: "categorical", common: { variables: 1, values: 4 }, unique: { variables: 0, values: 3 } },
  });
  const networks = smallNetworks(config);
  expect(Object.keys(networks).filter((name) => name.includes("unique"))).toEqual([]);
  const { loss, reconstruction, rate_common } = termsOf(networks, config, "joint");
  expect(loss! / (reconstruction! + rate_common!)).toBeCloseTo(1, 6);
  expect(rate_common).toBeGreaterThan(0.1);
});

test("each phase moves its own variables and no others", () => {
  const config = smallConfig();
  const owners = { autoencoder: /^autoencoder\./, joint: /^(joint|decoder_.)\./, marginal: /^marginal_.\./ };
  for (const phase of wVae.phases(config)) {
    const networks = smallNetworks(config);
    const before = new Map(Object.entries(networks).map(([name, variable]) => [name, variable.dataSync().slice()]));
    const noise = wVae.noise(config, 4);
    const parts = { phase, networks, inputs: wVae.inputs(config), noise, batchSize: 4, microBatch: 0, phaseSteps: 10 };
    const program = buildStep(parts);
    const { batch, noise: drawn } = inputsOf(config, 4);
    const feeds: Record<string, tf.Tensor> = {};
    for (const [name, tensor] of Object.entries(batch)) feeds[`batch/${name}`] = tensor;
    for (const [name, tensor] of Object.entries(drawn)) feeds[`noise/${name}`] = tensor;
    for (const [name, value] of Object.entries(program.scalars(0))) feeds[name] = tf.scalar(value);
    program.run(feeds);
    const moved = [...before].filter(([name, old]) => !same(old, networks[name]!.dataSync())).map(([name]) => name);
    const wanted = Object.keys(networks).filter((name) => owners[phase.name as keyof typeof owners].test(name));
    expect(moved.sort(), phase.name).toEqual(wanted.sort());
    tf.disposeVariables();
  }
});

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean => Array.from(a).every((value, i) => value === b[i]);

test("temperature and learning rate fall exponentially from their start to their end within each phase", () => {
  const config = smallConfig({ temperature: { start: 2, end: 0.5 }, learningRateEnd: 0.01 });
  const { scalars } = wVae.phases(config)[1]!;
  expect([0, 50, 100].map((step) => scalars.temperature!(step, 101))).toEqual([2, 1, 0.5]);
  expect(scalars["learning_rate.model"]!(50, 101)).toBeCloseTo(0.1, 12);
  expect(scalars.temperature!(0, 1)).toBe(2);
});

test("the warm-up makes local rates dear at first and 1 from its share of the phase on", () => {
  const config = smallConfig({ uniqueWarmUp: { weight: 16, share: 0.5 } });
  const weight = wVae.phases(config)[1]!.scalars.local_weight!;
  expect([0, 25, 50, 99].map((step) => weight(step, 100))).toEqual([16, 4, 1, 1]);
  expect(wVae.phases(smallConfig())[1]!.scalars.local_weight!(0, 100)).toBe(1);
});

test("micro-batches change nothing", () => {
  const config = smallConfig();
  const networks = smallNetworks(config);
  const [whole, parts] = [termsOf(networks, config, "joint", 0), termsOf(networks, config, "joint", 3)];
  for (const name of Object.keys(whole)) expect(parts[name]! / whole[name]!).toBeCloseTo(1, 5);
});

const block = (changes: object) => ({
  latents: {
    kind: "categorical",
    common: { variables: 1, values: 4 },
    unique: { variables: 2, values: 3 },
    ...changes,
  },
});

test.each([
  [block({ common: { variables: 0, values: 10 } }), '"latents.common.variables" must be >= 1, got 0'],
  [block({ unique: { variables: 3, values: 1 } }), '"latents.unique.values" must be >= 2, got 1'],
  [block({ common: { variables: 1.5, values: 10 } }), '"latents.common.variables" must be integer, got 1.5'],
  [{ temperature: { start: 1, end: 0 } }, '"temperature.end" must be > 0, got 0'],
  [{ temperature: { start: -1, end: 0.5 } }, '"temperature.start" must be > 0, got -1'],
  [{ noiseVariance: 0 }, '"noiseVariance" must be > 0, got 0'],
  [{ lambda: -0.1 }, '"lambda" must be >= 0, got -0.1'],
])("%j is refused", (changes, message) => {
  expect(() => smallConfig(changes)).toThrow(message);
});

test("sizes that do not fit the kind of the latents, and shares that leave no step, are refused by name", () => {
  const noValues = smallConfig(block({ common: { variables: 1 } }));
  expect(() => wVae.networks(noValues, 0)).toThrow('"model.latents.common" must have "values"');
  const gaussian = smallConfig(block({ kind: "gaussian" }));
  expect(() => wVae.networks(gaussian, 0)).toThrow('must have no "values" with kind "gaussian", got 3');
  const greedy = smallConfig({ shares: { autoencoder: 0.5, joint: 0.5 } });
  expect(() => wVae.phases(greedy)).toThrow("must leave some steps to the marginal encoders, got 0.5 + 0.5");
});
