import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { wVae } from "../../../train/models/w-vae.ts";
import { featureOf } from "../../../train/models/w-vae-networks.ts";
import { inputsOf, plainMlp, smallConfig, smallNetworks, softmaxParts, termsOf } from "./w-vae-setup.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => tf.disposeVariables());

const divergence = (from: readonly number[], to: readonly number[], values: number): number => {
  const [p, q] = [softmaxParts(from, values), softmaxParts(to, values)];
  return p.reduce((sum, one, i) => sum + one * Math.log(one / q[i]!), 0);
};

for (const uniqueReadsCommon of [true, false]) {
  test(`encoders of one view may learn the joint posterior: every term by loops in float64 (U reads Z: ${uniqueReadsCommon})`, () => {
    const config = smallConfig({ marginals: "posterior", uniqueReadsCommon });
    const networks = smallNetworks(config);
    const { batch, noise } = inputsOf(config, 4);
    const [x, y] = [batch.view_1!, batch.view_2!].map((view) => featureOf(networks, view).arraySync());
    const gumbel = noise.noise_common!.arraySync() as number[][];
    const wanted: Record<string, number> = {};
    for (let row = 0; row < 4; row++) {
      const pair = [...x![row]!, ...y![row]!];
      const qz = plainMlp(networks, "joint.common", pair);
      const z = softmaxParts(
        qz.map((value, i) => (value + gumbel[row]![i]!) / 0.7),
        4,
      );
      for (const view of [1, 2]) {
        const own = (view === 1 ? x : y)![row]!;
        const local = plainMlp(networks, `marginal_${view}.unique`, uniqueReadsCommon ? [...own, ...z] : own);
        const terms = {
          [`divergence_common_${view}`]: divergence(qz, plainMlp(networks, `marginal_${view}.common`, own), 4),
          [`divergence_unique_${view}`]: divergence(plainMlp(networks, `joint.unique_${view}`, pair), local, 3),
        };
        for (const [name, value] of Object.entries(terms)) wanted[name] = (wanted[name] ?? 0) + value / 4;
      }
    }
    const got = termsOf(networks, config, "marginal");
    for (const [name, value] of Object.entries(wanted)) expect(got[name]! / value, name).toBeCloseTo(1, 4);
    const sum = Object.values(wanted).reduce((total, value) => total + value, 0);
    expect(got.loss! / sum).toBeCloseTo(1, 4);
    expect(Object.keys(got).sort()).toEqual([...Object.keys(wanted), "loss"].sort());
  });
}

test("an encoder of one view that says what the joint encoder says has nothing left to learn", () => {
  const config = smallConfig({ marginals: "posterior", uniqueReadsCommon: false });
  const networks = smallNetworks(config);
  // Outputs that do not depend on the input: the last layers are their biases, the same on both sides.
  for (const [name, variable] of Object.entries(networks)) {
    if (!/^(joint|marginal)/.test(name)) continue;
    if (name.endsWith("kernel")) variable.assign(tf.zerosLike(variable));
    if (name.endsWith("bias")) variable.assign(tf.range(0, variable.size, 1, "float32"));
  }
  for (const [name, value] of Object.entries(termsOf(networks, config, "marginal"))) {
    expect(Math.abs(value), name).toBeLessThan(1e-5);
  }
});

test("the JVAE has no local divergence, and the paper's objective is what a recipe without `marginals` has", () => {
  const latents = { kind: "categorical", common: { variables: 1, values: 4 }, unique: { variables: 0, values: 3 } };
  const config = smallConfig({ latents, marginals: "posterior" });
  const networks = smallNetworks(config);
  expect(termsOf(networks, config, "marginal")).toMatchObject({ divergence_unique_1: 0, divergence_unique_2: 0 });
  tf.disposeVariables();
  const plain = smallConfig();
  expect(Object.keys(termsOf(smallNetworks(plain), plain, "marginal"))).toContain("reconstruction_1");
  expect(wVae.phases(plain).map(({ name }) => name)).toEqual(["autoencoder", "joint", "marginal"]);
});
