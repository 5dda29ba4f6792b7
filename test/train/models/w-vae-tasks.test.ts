import "../../../export/tfjs-setup.ts";
import * as tf from "@tensorflow/tfjs-core";
import { afterEach, beforeAll, expect, test } from "vitest";
import { writeOnnx } from "../../../export/onnx-writer.ts";
import { trace } from "../../../export/trace.ts";
import { createSession } from "../../../runtime/create-session.ts";
import type { WVaeConfig } from "../../../schemas/w-vae-config.ts";
import type { Networks, Tensors } from "../../../train/models/family.ts";
import { wVae } from "../../../train/models/w-vae.ts";
import { hardCode } from "../../../train/networks/categorical.ts";
import { images, normal, smallConfig, smallNetworks } from "./w-vae-setup.ts";

beforeAll(async () => {
  await tf.setBackend("cpu");
});
afterEach(() => tf.disposeVariables());

const variants = {
  categorical: {},
  gaussian: { latents: { kind: "gaussian", common: { variables: 2 }, unique: { variables: 3 } } },
  "without local latents": {
    latents: { kind: "categorical", common: { variables: 1, values: 4 }, unique: { variables: 0, values: 3 } },
  },
};

function run(config: WVaeConfig, networks: Networks, task: string, inputs: Tensors): Record<string, tf.Tensor> {
  return wVae.tasks(config)[task]!.run(networks, inputs);
}

function same(a: tf.Tensor, b: tf.Tensor): void {
  expect(a.shape).toEqual(b.shape);
  expect(tf.max(tf.abs(tf.sub(a, b))).arraySync()).toBeLessThan(1e-6);
}

/** Two views, a code of each block, noise: by the name of a task's input. */
function given(config: WVaeConfig, task: string, rows = 3): Record<string, tf.Tensor> {
  const inputs: Record<string, tf.Tensor> = {};
  for (const [name, { shape, dtype }] of Object.entries(wVae.tasks(config)[task]!.inputs)) {
    const sizes = shape.map((size) => (size === "batch" ? rows : size));
    inputs[name] = dtype === "uint8" ? images(rows, name) : normal(sizes, name);
  }
  return inputs;
}

for (const [name, changes] of Object.entries(variants)) {
  test(`every task takes what it declares and returns what it declares (${name})`, () => {
    const config = smallConfig(changes);
    const networks = smallNetworks(config);
    const tasks = wVae.tasks(config);
    const style = name === "without local latents" ? [] : ["style_transfer_1", "style_transfer_2"];
    expect(Object.keys(tasks)).toEqual([
      "encode",
      "encode_1",
      "encode_2",
      "decode",
      "conditional_1to2",
      "conditional_2to1",
      ...style,
      "joint",
      "common_information",
    ]);
    for (const [task, spec] of Object.entries(tasks)) {
      const outputs = spec.run(networks, given(config, task));
      expect(Object.keys(outputs), task).toEqual(Object.keys(spec.outputs));
      for (const [output, tensor] of Object.entries(outputs)) {
        const { names } = spec.outputs[output]!;
        if (names !== undefined) expect(tensor.shape, `${task} ${output}`).toEqual([3, names.length]);
        if (output.includes("view_")) expect(tensor.shape, `${task} ${output}`).toEqual([3, 32, 32, 1]);
        expect(tensor.dataSync().every(Number.isFinite), `${task} ${output}`).toBe(true);
      }
    }
    const blocks = Object.fromEntries(wVae.latents(config).map((block) => [block.name, block.dimensions]));
    const { outputs } = tasks.encode!;
    for (const [block, dimensions] of Object.entries(blocks))
      expect(outputs[`${block}_mean`]!.names).toEqual(dimensions);
  });
}

function setUp() {
  const config = smallConfig();
  const networks = smallNetworks(config);
  const views = { view_1: images(3, "a"), view_2: images(3, "b") };
  return { config, networks, views };
}

test("posterior means are probabilities of each variable", () => {
  const { config, networks, views } = setUp();
  const codes = run(config, networks, "encode", views);
  for (const [name, values] of [
    ["common_mean", 4],
    ["unique_1_mean", 3],
    ["unique_2_mean", 3],
  ] as const) {
    const sums = tf.sum(tf.reshape(codes[name]!, [-1, values]), 1).dataSync();
    for (const sum of sums) expect(sum).toBeCloseTo(1, 5);
  }
});

test("decode reads the largest entry of each variable, so that a posterior mean is decoded as its most probable code", () => {
  const { config, networks, views } = setUp();
  const { common_mean, unique_1_mean, unique_2_mean } = run(config, networks, "encode", views);
  const soft = { common: common_mean!, unique_1: unique_1_mean!, unique_2: unique_2_mean! };
  const hard = {
    common: hardCode(common_mean as tf.Tensor2D, { variables: 1, values: 4 }),
    unique_1: hardCode(unique_1_mean as tf.Tensor2D, { variables: 2, values: 3 }),
    unique_2: hardCode(unique_2_mean as tf.Tensor2D, { variables: 2, values: 3 }),
  };
  same(run(config, networks, "decode", soft).view_1!, run(config, networks, "decode", hard).view_1!);
  same(run(config, networks, "decode", soft).view_2!, run(config, networks, "decode", hard).view_2!);
});

test("each view is drawn from the common code and its own alone", () => {
  const { config, networks } = setUp();
  const inputs = given(config, "decode");
  const before = run(config, networks, "decode", inputs);
  const after = run(config, networks, "decode", { ...inputs, unique_2: tf.neg(inputs.unique_2!) });
  same(after.view_1!, before.view_1!);
  expect(tf.max(tf.abs(tf.sub(after.view_2!, before.view_2!))).arraySync()).toBeGreaterThan(1e-4);
});

test("conditional generation with noise 0 for the common code decodes its most probable value", () => {
  const { config, networks, views } = setUp();
  for (const [from, to] of [
    [1, 2],
    [2, 1],
  ] as const) {
    const code = run(config, networks, `encode_${from}`, { [`view_${from}`]: views[`view_${from}`] });
    const noise = normal([3, 6], "own");
    const got = run(config, networks, `conditional_${from}to${to}`, {
      [`view_${from}`]: views[`view_${from}`],
      noise_common: tf.zeros([3, 4]),
      [`noise_unique_${to}`]: noise,
    });
    const blocks = { common: code.common_mean!, [`unique_${to}`]: noise, [`unique_${from}`]: tf.zeros([3, 6]) };
    same(got[`view_${to}`]!, run(config, networks, "decode", blocks)[`view_${to}`]!);
  }
});

test("common noise draws the common code with the probabilities of the view's posterior", () => {
  const { config, networks } = setUp();
  const rows = 1000;
  const view = tf.tile(images(1, "one"), [rows, 1, 1, 1]) as tf.Tensor4D;
  const noise = { noise_common: normal([rows, 4], "draw"), noise_unique_2: tf.zeros([rows, 6]) };
  const drawn = run(config, networks, "conditional_1to2", { view_1: view, ...noise }).view_2!;
  const code = run(config, networks, "encode_1", { view_1: images(1, "one") }).common_mean!.dataSync();
  const each = run(config, networks, "decode", {
    common: tf.eye(4),
    unique_1: tf.zeros([4, 6]),
    unique_2: tf.zeros([4, 6]),
  }).view_2!;
  for (let value = 0; value < 4; value++) {
    const off = tf.max(tf.abs(tf.sub(drawn, tf.gather(each, [value]))), [1, 2, 3]);
    const share = tf.mean(tf.cast(tf.less(off, 1e-6), "float32")).arraySync();
    expect(share).toBeGreaterThan(code[value]! - 0.05);
    expect(share).toBeLessThan(code[value]! + 0.05);
  }
});

test("style transfer takes the common code of the content view alone and the unique code of the style view alone", () => {
  const { config, networks, views } = setUp();
  const alone = [1, 2].map((view) =>
    run(config, networks, `encode_${view}`, { [`view_${view}`]: views[`view_${view as 1 | 2}`] }),
  );
  for (const style of [1, 2] as const) {
    const got = run(config, networks, `style_transfer_${style}`, views)[`styled_view_${style}`]!;
    const own = alone[style - 1]![`unique_${style}_mean`]!;
    const blocks = { common: alone[2 - style]!.common_mean!, unique_1: own, unique_2: own };
    same(got, run(config, networks, "decode", blocks)[`view_${style}`]!);
  }
});

test("joint is decode of what the noise chooses from the priors", () => {
  const { config, networks } = setUp();
  const noise = given(config, "joint");
  const got = run(config, networks, "joint", noise);
  const code = { common: noise.noise_common!, unique_1: noise.noise_unique_1!, unique_2: noise.noise_unique_2! };
  const wanted = run(config, networks, "decode", code);
  same(got.view_1!, wanted.view_1!);
  same(got.view_2!, wanted.view_2!);
});

test("common_information gives the rates of the posteriors that encode gives", () => {
  const { config, networks, views } = setUp();
  const codes = run(config, networks, "encode", views);
  const got = run(config, networks, "common_information", views);
  for (const which of ["common", "common_1", "common_2"]) {
    const rows = codes[`${which}_mean`]!.arraySync() as number[][];
    rows.forEach((q, i) => {
      const wanted = q.reduce((sum, p) => sum + p * Math.log(p * 4), 0);
      expect((got[`total_${which}`]!.arraySync() as number[])[i]).toBeCloseTo(wanted, 4);
    });
  }
  const [p, q] = [codes.common_1_mean!, codes.common_2_mean!].map((code) => code.arraySync() as number[][]);
  const kl = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * Math.log(x / b[i]!), 0);
  p!.forEach((row, i) => {
    const forth = kl(row, q![i]!);
    expect((got.disagreement_1to2!.arraySync() as number[])[i]).toBeCloseTo(forth, 4);
    const both = (forth + kl(q![i]!, row)) / 2;
    expect((got.disagreement_symmetric!.arraySync() as number[])[i]).toBeCloseTo(both, 4);
  });
});

test("exported tasks answer as eager tfjs does", async () => {
  const { config, networks } = setUp();
  for (const task of ["encode", "conditional_1to2", "style_transfer_2", "joint"]) {
    const { inputs, run: fn } = wVae.tasks(config)[task]!;
    const graph = trace((tensors) => fn(networks, tensors), { name: task, inputs, variables: "frozen" });
    const session = await createSession(writeOnnx(graph));
    const tensors = given(config, task, 5);
    const feeds = Object.entries(tensors).map(([name, tensor]) => {
      const uint8 = inputs[name]!.dtype === "uint8";
      const data = uint8 ? Uint8Array.from(tensor.dataSync()) : (tensor.dataSync() as Float32Array);
      return [name, { dtype: uint8 ? ("uint8" as const) : ("float32" as const), shape: tensor.shape, data }];
    });
    const actual = await session.run(Object.fromEntries(feeds));
    for (const [name, wanted] of Object.entries(fn(networks, tensors))) {
      const got = tf.tensor(actual[name]!.data as Float32Array, wanted.shape);
      expect(tf.max(tf.abs(tf.sub(got, wanted))).arraySync(), `${task} ${name}`).toBeLessThan(1e-5);
    }
    await session.release();
  }
});
