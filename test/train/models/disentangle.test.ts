import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, test } from "vitest";
import { type DisentangleConfig, disentangleConfigSchema } from "../../../schemas/disentangle-config.ts";
import { validate } from "../../../schemas/validate.ts";
import { drawNoise } from "../../../train/engine/noise.ts";
import { buildStep } from "../../../train/engine/step.ts";
import { disentangle } from "../../../train/models/disentangle.ts";
import { correlated } from "../../../train/models/disentangle-networks.ts";
import type { Networks, Tensors } from "../../../train/models/family.ts";
import { countParameters } from "../../../train/networks/parameters.ts";
import {
  discriminatorLoss,
  minibatchTotalCorrelation,
  permuteColumns,
} from "../../../train/networks/total-correlation.ts";
import { stream } from "../../../train/random.ts";

afterEach(() => tf.disposeVariables());

const rows = 6;

function configOf(changes: Record<string, unknown> = {}): DisentangleConfig {
  const model = {
    image: { size: 32, channels: 1 },
    latents: 3,
    filters: 2,
    objective: "vae",
    encoder: { hidden: 5, branchWidth: 4, branchFilters: 2 },
    discriminator: { layers: 2, width: 5 },
    ...changes,
  };
  return validate(disentangleConfigSchema, model, "test");
}

function hostNoise(config: DisentangleConfig, batch = rows): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(disentangle.noise(config, batch)).map(([name, spec]) => {
      const { data, shape } = drawNoise(spec, { seed: 3, name, step: 1 });
      return [name, tf.tensor(data as Float32Array, [...shape])];
    }),
  );
}

function images(batch = rows): tf.Tensor4D {
  const random = stream(5, "images");
  return tf.tensor4d(
    Int32Array.from({ length: batch * 32 * 32 }, () => 255 * random.integer(2)),
    [batch, 32, 32, 1],
    "int32",
  );
}

/** At initialisation every rate is next to 0 and would hide errors. */
function networksOf(config: DisentangleConfig): Networks {
  const networks = disentangle.networks(config, 2);
  for (const [name, variable] of Object.entries(networks)) {
    if (!/mean|logvar|head|logits/.test(name)) continue;
    const random = stream(6, name);
    variable.assign(
      tf.tensor(
        Float32Array.from({ length: variable.size }, () => 0.5 * random.normal()),
        variable.shape,
      ),
    );
  }
  return networks;
}

function losses(config: DisentangleConfig, networks: Networks, microBatch = 0) {
  const found = disentangle.phases(config)[0]!.losses(networks, {
    batch: { image: images() },
    noise: hostNoise(config),
    scalars: {},
    microBatch,
  });
  return Object.fromEntries(Object.entries(found).map(([name, term]) => [name, term.dataSync()[0]!]));
}

/** Means, log-variances, codes and reconstruction error in float64 loops, from what the tasks answer. */
function plain(config: DisentangleConfig, networks: Networks) {
  const noise = hostNoise(config);
  const tasks = disentangle.tasks(config);
  const noiseInputs = Object.fromEntries(Object.entries(noise).filter(([name]) => name !== "orders"));
  const code = tasks.encode!.run(networks, { image: images() });
  const bound = tasks.rate_distortion!.run(networks, { image: images(), ...noiseInputs });
  const [mean, logvar] = [code.latent_mean!.arraySync(), code.latent_logvar!.arraySync()] as [number[][], number[][]];
  const epsilon = correlated(config, noise).arraySync() as number[][];
  const z = mean.map((row, i) => row.map((m, j) => m + Math.exp(0.5 * logvar[i]![j]!) * epsilon[i]![j]!));
  let rate = 0;
  for (const [i, row] of mean.entries()) {
    for (const [j, m] of row.entries()) rate += 0.5 * (m * m + Math.exp(logvar[i]![j]!) - logvar[i]![j]! - 1);
  }
  const distortion = (bound.distortion!.arraySync() as number[]).reduce((sum, value) => sum + value, 0) / rows;
  return { mean, logvar, z, rate: rate / rows, distortion };
}

function plainTotalCorrelation({ mean, logvar, z }: ReturnType<typeof plain>): number {
  const density = (i: number, m: number, j: number): number => {
    const apart = z[i]![j]! - mean[m]![j]!;
    return -0.5 * (Math.log(2 * Math.PI) + logvar[m]![j]! + apart ** 2 / Math.exp(logvar[m]![j]!));
  };
  const of = (count: number) => Array.from({ length: count }, (_, i) => i);
  const all = of(z.length);
  const dims = of(z[0]!.length);
  const sum = (values: number[]) => values.reduce((a, b) => a + b, 0);
  const perRow = all.map((i) => {
    const whole = Math.log(sum(all.map((m) => Math.exp(sum(dims.map((j) => density(i, m, j)))))));
    return whole - sum(dims.map((j) => Math.log(sum(all.map((m) => Math.exp(density(i, m, j)))))));
  });
  return sum(perRow) / perRow.length;
}

test("the defaults are those of disentanglement_lib and the paper, parameter by parameter", () => {
  const config = validate(
    disentangleConfigSchema,
    { image: { size: 64, channels: 1 }, objective: "factor-vae" },
    "test",
  );
  expect(config.weights).toEqual({ betaVae: 4, factorVae: 35, betaTcvae: 6 });
  const adam = { kind: "adam", learningRate: 1e-4, epsilon: 1e-8, weightDecay: 0 };
  expect(config.optimiser).toEqual({ ...adam, beta1: 0.9, beta2: 0.999 });
  expect(config.discriminator.optimiser).toEqual({ ...adam, beta1: 0.5, beta2: 0.9 });
  const networks = disentangle.networks(config, 1);
  expect(countParameters(networks, "encoder.")).toBe(309_204);
  expect(countParameters(networks, "decoder.")).toBe(381_313);
  expect(countParameters(networks, "discriminator.")).toBe(5_018_002);
  expect(config.latents).toBe(10);
  expect(config.noiseCorrelation).toBe(0);
});

test.each(["vae", "beta-vae", "factor-vae", "beta-tcvae"])(
  "the loss of %s is made of its terms with its weights",
  (objective) => {
    const config = configOf({ objective });
    const networks = networksOf(config);
    const found = losses(config, networks);
    const wanted = plain(config, networks);
    expect(found.reconstruction).toBeCloseTo(wanted.distortion, 2);
    expect(found.rate).toBeCloseTo(wanted.rate, 4);
    const tc = found.total_correlation ?? 0;
    const cost = {
      vae: found.rate!,
      "beta-vae": 4 * found.rate!,
      "factor-vae": found.rate! + 35 * tc,
      "beta-tcvae": found.rate! + 5 * tc,
    }[objective]!;
    expect(found.loss).toBeCloseTo(found.reconstruction! + cost, 2);
  },
);

test("beta-TCVAE's total correlation is that of loops over all pairs of rows", () => {
  const config = configOf({ objective: "beta-tcvae" });
  const networks = networksOf(config);
  expect(losses(config, networks).total_correlation).toBeCloseTo(plainTotalCorrelation(plain(config, networks)), 4);
});

test("where all posteriors are equal, beta-TCVAE's estimate is (1 - dims) ln rows: negative, whatever the code", () => {
  const q = { mean: tf.zeros([8, 3]), logvar: tf.fill([8, 3], 0.3) };
  const z = tf.tensor2d(
    Array.from({ length: 24 }, (_, i) => Math.sin(i)),
    [8, 3],
  );
  expect(minibatchTotalCorrelation(z, q).dataSync()[0]).toBeCloseTo(-2 * Math.log(8), 5);
});

test("micro-batches change no term, those across the batch included", () => {
  for (const objective of ["factor-vae", "beta-tcvae"]) {
    const config = configOf({ objective, encoder: { kind: "split", branchWidth: 4 } });
    const networks = networksOf(config);
    const [whole, inParts] = [losses(config, networks), losses(config, networks, 4)];
    for (const [name, value] of Object.entries(whole)) expect(inParts[name], name).toBeCloseTo(value, 3);
    tf.disposeVariables();
  }
});

test("a discriminator that cannot tell loses ln 2; one that is right loses no more than its clip allows", () => {
  const logits = (first: number) => tf.tensor2d([first, 0, first, 0], [2, 2]);
  expect(discriminatorLoss(logits(0), logits(0)).dataSync()[0]).toBeCloseTo(Math.LN2, 6);
  expect(discriminatorLoss(logits(3), logits(-3)).dataSync()[0]).toBeCloseTo(Math.log1p(Math.exp(-3)), 5);
  expect(discriminatorLoss(logits(-100), logits(100)).dataSync()[0]).toBeCloseTo(-Math.log(1e-6), 3);
});

test("mixed codes hold the values of every column once, in the order given for that column", () => {
  const z = tf.tensor2d([0, 10, 20, 1, 11, 21, 2, 12, 22], [3, 3]);
  const orders = tf.tensor2d([2, 0, 1, 0, 1, 2, 1, 2, 0], [3, 3]);
  expect(permuteColumns(z, orders).arraySync()).toEqual([
    [2, 10, 21],
    [0, 11, 22],
    [1, 12, 20],
  ]);
});

test("the discriminator gets no gradient from the encoder's loss and the encoder none from the discriminator's", () => {
  const config = configOf({ objective: "factor-vae" });
  const networks = networksOf(config);
  const phase = disentangle.phases(config)[0]!;
  expect(phase.players.map(({ name, trains, minimises }) => ({ name, trains, minimises }))).toEqual([
    { name: "model", trains: ["encoder.", "decoder."], minimises: "loss" },
    { name: "discriminator", trains: ["discriminator."], minimises: "discriminator_loss" },
  ]);
  const before = new Map(Object.values(networks).map((variable) => [variable.name, variable.dataSync().slice()]));
  const program = buildStep({
    phase,
    networks,
    inputs: disentangle.inputs(config),
    noise: disentangle.noise(config, rows),
    batchSize: rows,
    microBatch: 0,
    phaseSteps: 10,
  });
  const inputs: Record<string, tf.Tensor> = { "batch/image": images() };
  for (const [name, tensor] of Object.entries(hostNoise(config))) inputs[`noise/${name}`] = tensor;
  for (const [name, value] of Object.entries(program.scalars(0))) inputs[name] = tf.scalar(value);
  const gradient = (term: "loss" | "discriminator_loss", prefix: string): Tensors => {
    const own = Object.values(networks).filter(({ name }) => name.startsWith(prefix));
    const noise = hostNoise(config);
    const lossInputs = { batch: { image: images() }, noise, scalars: {}, microBatch: 0 };
    return tf.variableGrads(() => phase.losses(networks, lossInputs)[term]!, own).grads;
  };
  const wanted = { ...gradient("loss", "encoder."), ...gradient("discriminator_loss", "discriminator.") };
  program.run(inputs);
  // The first step of Adam moves every value by its rate against the sign of its gradient.
  for (const [name, tensor] of Object.entries(wanted)) {
    const [slopes, old, now] = [tensor.dataSync(), before.get(name)!, networks[name]!.dataSync()];
    for (const [i, slope] of slopes.entries()) {
      if (Math.abs(slope) > 1e-3) expect(now[i]! - old[i]!, `${name} ${i}`).toBeCloseTo(-1e-4 * Math.sign(slope), 5);
    }
  }
});

test("correlated noise has variance 1 and covariance sigma between any two latents", () => {
  const n = 40_000;
  for (const sigma of [0, 0.5, 0.9]) {
    const config = configOf({ noiseCorrelation: sigma });
    const drawn = correlated(config, hostNoise(config, n)).dataSync();
    for (let j = 0; j < 3; j++) {
      for (let k = 0; k <= j; k++) {
        let sum = 0;
        for (let i = 0; i < n; i++) sum += drawn[i * 3 + j]! * drawn[i * 3 + k]!;
        // Five standard errors of a product of two standard normal values are at most 5 sqrt(2 / n) = 0.035.
        expect(Math.abs(sum / n - (j === k ? 1 : sigma)), `${sigma} ${j} ${k}`).toBeLessThan(0.035);
      }
    }
  }
});

test("without correlation the noise is the plain one, and no shared noise is asked for", () => {
  expect(Object.keys(disentangle.noise(configOf(), 4))).toEqual(["noise_latent"]);
  expect(Object.keys(disentangle.noise(configOf({ noiseCorrelation: 0.9, objective: "factor-vae" }), 4))).toEqual([
    "noise_latent",
    "noise_shared",
    "orders",
  ]);
});

test.each(["vanilla", "split", "matched"])("every task of a %s encoder takes and returns what it declares", (kind) => {
  const config = configOf({ encoder: { kind, hidden: 5, branchWidth: 4 }, noiseCorrelation: 0.3 });
  const networks = networksOf(config);
  const tasks = disentangle.tasks(config);
  expect(Object.keys(tasks)).toEqual(["encode", "decode", "reconstruct", "rate_distortion"]);
  for (const [task, spec] of Object.entries(tasks)) {
    const inputs: Record<string, tf.Tensor> = {};
    for (const [input, { shape, dtype }] of Object.entries(spec.inputs)) {
      const sizes = shape.map((size) => (size === "batch" ? 2 : size));
      inputs[input] = dtype === "uint8" ? images(2) : tf.fill(sizes, 0.5);
    }
    const outputs = spec.run(networks, inputs);
    expect(Object.keys(outputs), task).toEqual(Object.keys(spec.outputs));
    for (const [output, tensor] of Object.entries(outputs)) {
      expect(tensor.shape[0], `${task} ${output}`).toBe(2);
      const { names } = spec.outputs[output]!;
      if (names !== undefined) expect(tensor.shape, `${task} ${output}`).toEqual([2, names.length]);
      expect(tensor.dataSync().every(Number.isFinite), `${task} ${output}`).toBe(true);
    }
  }
});

test("reconstruct is decode of encode's mean, and total_rate the sum of the rates", () => {
  const config = configOf();
  const networks = networksOf(config);
  const tasks = disentangle.tasks(config);
  const { latent_mean } = tasks.encode!.run(networks, { image: images(2) });
  const { image } = tasks.decode!.run(networks, { latent: latent_mean! });
  const { reconstruction } = tasks.reconstruct!.run(networks, { image: images(2) });
  expect(reconstruction!.dataSync()).toEqual(image!.dataSync());
  const bound = tasks.rate_distortion!.run(networks, { image: images(2), noise_latent: tf.zeros([2, 3]) });
  const sums = (bound.rate!.arraySync() as number[][]).map((row) => row.reduce((a, b) => a + b, 0));
  for (const [i, sum] of sums.entries()) expect(bound.total_rate!.dataSync()[i]).toBeCloseTo(sum, 5);
});
