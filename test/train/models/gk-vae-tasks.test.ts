import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, expect, test } from "vitest";
import type { GkVaeConfig } from "../../../schemas/gk-vae-config.ts";
import type { Networks, Tensors } from "../../../train/models/family.ts";
import { gkVae } from "../../../train/models/gk-vae.ts";
import { lossesOf, randomImages, randomInputs, randomNormal, smallConfig, smallNetworks } from "./gk-vae-setup.ts";

afterEach(() => tf.disposeVariables());

const variants = [
  { decoders: "all-latents", prior: "fixed" },
  { decoders: "per-view", prior: "learned" },
];

function setUp(changes: Record<string, unknown> = {}) {
  const config = smallConfig(changes);
  const networks = smallNetworks(config);
  const views = { view_1: randomImages(config, 3, "a"), view_2: randomImages(config, 3, "b") };
  return { config, networks, views };
}

function run(config: GkVaeConfig, networks: Networks, task: string, inputs: Tensors) {
  return gkVae.tasks(config)[task]!.run(networks, inputs);
}

function same(a: tf.Tensor, b: tf.Tensor): void {
  expect(a.shape).toEqual(b.shape);
  expect(a.dataSync()).toEqual(b.dataSync());
}

for (const variant of variants) {
  const name = `${variant.decoders} decoders, ${variant.prior} prior`;

  test(`every task takes what it declares and returns what it declares (${name})`, () => {
    const { config, networks } = setUp(variant);
    const tasks = gkVae.tasks(config);
    expect(Object.keys(tasks)).toEqual([
      "encode",
      "encode_1",
      "encode_2",
      "decode",
      "conditional_1to2",
      "conditional_2to1",
      "style_transfer_1",
      "style_transfer_2",
      "joint",
      "common_information",
    ]);
    for (const [task, spec] of Object.entries(tasks)) {
      const inputs: Record<string, tf.Tensor> = {};
      for (const [input, { shape, dtype }] of Object.entries(spec.inputs)) {
        const sizes = shape.map((size) => (size === "batch" ? 2 : size));
        inputs[input] = dtype === "uint8" ? randomImages(config, 2, input) : randomNormal(sizes, input);
        expect(inputs[input].shape, `${task} ${input}`).toEqual(sizes);
      }
      const outputs = spec.run(networks, inputs);
      expect(Object.keys(outputs), task).toEqual(Object.keys(spec.outputs));
      for (const [output, tensor] of Object.entries(outputs)) {
        expect(tensor.dtype).toBe("float32");
        expect(tensor.shape[0], `${task} ${output}`).toBe(2);
        const names = spec.outputs[output]!.names;
        if (names !== undefined) expect(tensor.shape, `${task} ${output}`).toEqual([2, names.length]);
        expect(tensor.dataSync().every(Number.isFinite), `${task} ${output}`).toBe(true);
      }
    }
  });

  test(`encode_1 and encode_2 are the parts of encode that their view decides (${name})`, () => {
    const { config, networks, views } = setUp(variant);
    const both = run(config, networks, "encode", views);
    const first = run(config, networks, "encode_1", { view_1: views.view_1 });
    const second = run(config, networks, "encode_2", { view_2: views.view_2 });
    for (const moment of ["mean", "logvar"]) {
      same(first[`common_${moment}`]!, both[`common_1_${moment}`]!);
      same(first[`common_${moment}`]!, both[`common_${moment}`]!);
      same(first[`unique_1_${moment}`]!, both[`unique_1_${moment}`]!);
      same(second[`common_${moment}`]!, both[`common_2_${moment}`]!);
      same(second[`unique_2_${moment}`]!, both[`unique_2_${moment}`]!);
    }
    expect(both.common_1_mean!.dataSync()).not.toEqual(both.common_2_mean!.dataSync());
  });

  test(`conditional generation decodes the given view's means with the prior's draw for the other (${name})`, () => {
    const { config, networks, views } = setUp(variant);
    const codes = run(config, networks, "encode", views);
    const noise = randomNormal([3, 2], "style");
    const prior = (block: string) =>
      variant.prior === "fixed"
        ? noise
        : tf.add(
            networks[`prior.${block}.mean`]!,
            tf.mul(tf.exp(tf.mul(networks[`prior.${block}.logvar`]!, 0.5)), noise),
          );
    const forth = run(config, networks, "conditional_1to2", { view_1: views.view_1, noise_unique_2: noise });
    const wanted2 = run(config, networks, "decode", {
      unique_1: codes.unique_1_mean!,
      common: codes.common_1_mean!,
      unique_2: prior("unique_2"),
    });
    same(forth.view_2!, wanted2.view_2!);
    const back = run(config, networks, "conditional_2to1", { view_2: views.view_2, noise_unique_1: noise });
    const wanted1 = run(config, networks, "decode", {
      unique_1: prior("unique_1"),
      common: codes.common_2_mean!,
      unique_2: codes.unique_2_mean!,
    });
    same(back.view_1!, wanted1.view_1!);
    expect(Object.keys(forth)).toEqual(["view_2"]);
    expect(Object.keys(back)).toEqual(["view_1"]);
  });

  test(`style transfer takes the common code of the content view and the unique code of the style view (${name})`, () => {
    const { config, networks, views } = setUp(variant);
    const codes = run(config, networks, "encode", views);
    const blocks = { unique_1: codes.unique_1_mean!, unique_2: codes.unique_2_mean! };
    const to1 = run(config, networks, "style_transfer_1", views);
    same(to1.styled_view_1!, run(config, networks, "decode", { ...blocks, common: codes.common_2_mean! }).view_1!);
    const to2 = run(config, networks, "style_transfer_2", views);
    same(to2.styled_view_2!, run(config, networks, "decode", { ...blocks, common: codes.common_1_mean! }).view_2!);
  });

  test(`joint draws every block from its prior: zero noise decodes the priors' means (${name})`, () => {
    const { config, networks } = setUp(variant);
    const zeros = {
      noise_unique_1: tf.zeros([2, 2]),
      noise_common: tf.zeros([2, 3]),
      noise_unique_2: tf.zeros([2, 2]),
    };
    const mean = (block: string, dims: number) =>
      variant.prior === "fixed"
        ? tf.zeros([2, dims])
        : tf.tile(tf.expandDims(networks[`prior.${block}.mean`]!), [2, 1]);
    const got = run(config, networks, "joint", zeros);
    const wanted = run(config, networks, "decode", {
      unique_1: mean("unique_1", 2),
      common: mean("common", 3),
      unique_2: mean("unique_2", 2),
    });
    same(got.view_1!, wanted.view_1!);
    same(got.view_2!, wanted.view_2!);
  });

  test(`common_information averages to the rates and the matching term of the objective (${name})`, () => {
    const { config, networks } = setUp({ ...variant, freeNats: 0 });
    const inputs = randomInputs(config, 4, 0.3);
    const losses = lossesOf(networks, config, inputs);
    const got = run(config, networks, "common_information", inputs.batch);
    const mean = (name: string) => tf.mean(got[name]!).arraySync() as number;
    for (const view of [1, 2]) {
      expect(mean(`rate_common_${view}`) * 3).toBeCloseTo(losses[`rate_common_${view}`]!, 4);
      same(got[`total_common_${view}`]!, tf.sum(got[`rate_common_${view}`]!, 1));
    }
    expect(mean("disagreement_1to2")).toBeCloseTo(losses.matching!, 4);
  });
}

test("the symmetric disagreement is that of the swapped pair too, and 0 where the encoders are the same", () => {
  const { config, networks, views } = setUp();
  const there = run(config, networks, "common_information", views);
  for (const [name, variable] of Object.entries(networks)) {
    if (name.startsWith("encoder_2.")) variable.assign(networks[name.replace("_2", "_1")]!);
  }
  const same1 = run(config, networks, "common_information", { view_1: views.view_1, view_2: views.view_1 });
  expect(Math.max(...same1.disagreement_1to2!.dataSync())).toBeLessThan(1e-6);
  const ab = run(config, networks, "common_information", views);
  const ba = run(config, networks, "common_information", { view_1: views.view_2, view_2: views.view_1 });
  expect(tf.max(tf.abs(tf.sub(ab.disagreement_symmetric!, ba.disagreement_symmetric!))).arraySync()).toBeLessThan(1e-4);
  expect(ab.disagreement_1to2!.dataSync()).not.toEqual(ba.disagreement_1to2!.dataSync());
  expect(Math.min(...there.disagreement_symmetric!.dataSync())).toBeGreaterThan(0);
});

test("per-view decoders ignore the other view's unique code, all-latents decoders do not", () => {
  for (const decoders of ["per-view", "all-latents"]) {
    const { config, networks } = setUp({ decoders });
    const code = {
      unique_1: randomNormal([2, 2], "u1"),
      common: randomNormal([2, 3], "c"),
      unique_2: tf.zeros([2, 2]),
    };
    const a = run(config, networks, "decode", code);
    const b = run(config, networks, "decode", { ...code, unique_2: tf.ones([2, 2]) });
    const view1Moved = tf.max(tf.abs(tf.sub(a.view_1!, b.view_1!))).arraySync() as number;
    if (decoders === "per-view") expect(view1Moved).toBe(0);
    else expect(view1Moved).toBeGreaterThan(0);
    expect(tf.max(tf.abs(tf.sub(a.view_2!, b.view_2!))).arraySync()).toBeGreaterThan(0);
    tf.disposeVariables();
  }
});

test("images are scaled by 255 inside and pictures are intensities between 0 and 1", () => {
  const { config, networks, views } = setUp();
  const kernel = networks["encoder_1.conv_1.kernel"]!;
  const before = run(config, networks, "encode_1", { view_1: views.view_1 }).common_mean!;
  kernel.assign(tf.mul(kernel, 255));
  const dim = tf.cast(tf.round(tf.div(views.view_1, 255)), "int32");
  const full = tf.mul(dim, 255);
  const a = run(config, networks, "encode_1", { view_1: dim }).common_mean!;
  kernel.assign(tf.div(kernel, 255));
  const b = run(config, networks, "encode_1", { view_1: full }).common_mean!;
  expect(tf.max(tf.abs(tf.sub(a, b))).arraySync()).toBeLessThan(1e-5);
  expect(before.dataSync()).not.toEqual(b.dataSync());
  const pictures = run(config, networks, "style_transfer_1", views).styled_view_1!.dataSync();
  expect(pictures.every((value) => value > 0 && value < 1)).toBe(true);
});

test("the latent blocks name every dimension that encode returns", () => {
  const config = smallConfig();
  expect(gkVae.latents(config)).toEqual([
    { name: "common", dimensions: ["common_0", "common_1", "common_2"] },
    { name: "unique_1", dimensions: ["unique_1_0", "unique_1_1"] },
    { name: "unique_2", dimensions: ["unique_2_0", "unique_2_1"] },
  ]);
});
