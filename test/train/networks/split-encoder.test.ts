import * as tf from "@tensorflow/tfjs-core";
import "../../../export/tfjs-setup.ts";
import { afterEach, expect, test } from "vitest";
import { writeOnnx } from "../../../export/onnx-writer.ts";
import { trace } from "../../../export/trace.ts";
import { createSession } from "../../../runtime/create-session.ts";
import { applyConvolutions, flat, locatelloEncoder } from "../../../train/networks/locatello.ts";
import { countParameters } from "../../../train/networks/parameters.ts";
import {
  matchedHidden,
  type SplitShape,
  splitEncoder,
  splitEncoderParameters,
} from "../../../train/networks/split-encoder.ts";
import { stream } from "../../../train/random.ts";

afterEach(() => tf.disposeVariables());

const small: Omit<SplitShape, "splitAfter"> = {
  size: 32,
  channels: 1,
  filters: 3,
  latents: 3,
  branchWidth: 5,
  branchFilters: 2,
  hidden: 7,
};
const places = ["conv2", "conv4", "fc"] as const;

function images(rows: number): tf.Tensor4D {
  const random = stream(4, "image");
  return tf.tensor4d(
    Float32Array.from({ length: rows * 32 * 32 }, () => random.uniform()),
    [rows, 32, 32, 1],
  );
}

/** One branch alone, with the ordinary layers that a grouped operation stands for. */
function branch(networks: Record<string, tf.Tensor>, shape: SplitShape, j: number, x: tf.Tensor4D): number[] {
  const { branchFilters: own, branchWidth: width, splitAfter } = shape;
  const of = (name: string) => networks[`e.branches.${name}`]!;
  const mine = (name: string, rank: number) =>
    tf.squeeze(tf.slice(of(name), [j, ...Array(rank - 1).fill(0)], [1, ...of(name).shape.slice(1)]), [0]);
  let hidden: tf.Tensor;
  if (splitAfter === "conv2") {
    const at = [0, 0, 0, j * own];
    const kernel3 = tf.slice(of("conv_3.kernel"), at, [2, 2, shape.filters, own]) as tf.Tensor4D;
    const third = tf.relu(tf.add(tf.conv2d(x, kernel3, 2, "same"), tf.slice(of("conv_3.bias"), j * own, own)));
    const kernel4 = tf.reshape(mine("conv_4.kernel", 3), [2, 2, own, own]) as tf.Tensor4D;
    const fourth = tf.relu(tf.add(tf.conv2d(third as tf.Tensor4D, kernel4, 2, "same"), mine("conv_4.bias", 3)));
    const features = flat(fourth as tf.Tensor4D);
    hidden = tf.relu(tf.add(tf.matMul(features, mine("dense.kernel", 3)), mine("dense.bias", 3)));
  } else {
    const all = flat(x);
    const read =
      splitAfter === "fc"
        ? tf.relu(tf.add(tf.matMul(all, networks["e.dense_1.kernel"]!), networks["e.dense_1.bias"]!))
        : all;
    const kernel = tf.slice(of("dense.kernel"), [0, j * width], [read.shape[1]!, width]);
    hidden = tf.relu(tf.add(tf.matMul(read, kernel), tf.slice(of("dense.bias"), j * width, width)));
  }
  return Array.from(tf.add(tf.matMul(hidden, mine("head.kernel", 3)), mine("head.bias", 3)).dataSync());
}

for (const splitAfter of places) {
  const shape: SplitShape = { ...small, splitAfter };

  test(`split after ${splitAfter}: grouped operations give what each branch gives by itself`, () => {
    const networks = splitEncoder.init("e", shape, 7);
    const x = images(4);
    const { mean, logvar } = splitEncoder.apply(networks, "e", x);
    const trunk = applyConvolutions(networks, "e", x);
    const [means, logvars] = [mean.dataSync(), logvar.dataSync()];
    for (let j = 0; j < 3; j++) {
      const alone = branch(networks, shape, j, trunk);
      for (let i = 0; i < 4; i++) {
        expect(means[i * 3 + j]).toBeCloseTo(alone[2 * i]!, 5);
        expect(logvars[i * 3 + j]).toBeCloseTo(alone[2 * i + 1]!, 5);
      }
    }
    expect(new Set(means).size, "all branches differ").toBe(12);
  });

  test(`split after ${splitAfter}: no latent's gradient reaches the branch of another`, () => {
    const networks = splitEncoder.init("e", shape, 7);
    const x = images(2);
    const { grads } = tf.variableGrads(() => {
      const { mean, logvar } = splitEncoder.apply(networks, "e", x);
      return tf.sum(tf.slice(tf.add(mean, logvar), [0, 1], [2, 1])) as tf.Scalar;
    });
    for (const name of ["head.kernel", ...(splitAfter === "conv2" ? ["conv_4.kernel", "dense.kernel"] : [])]) {
      const gradient = grads[`e.branches.${name}`]!;
      const sums = tf.sum(tf.abs(tf.reshape(gradient, [3, -1])), 1).dataSync();
      expect([sums[0], sums[2]], name).toEqual([0, 0]);
      expect(sums[1], name).toBeGreaterThan(0);
    }
    expect(tf.sum(tf.abs(grads["e.conv_1.kernel"]!)).dataSync()[0], "the trunk is shared").toBeGreaterThan(0);
  });

  test(`split after ${splitAfter}: ONNX Runtime runs all branches of a layer as one product`, async () => {
    const networks = splitEncoder.init("e", shape, 7);
    const x = images(3);
    const eager = splitEncoder.apply(networks, "e", x).mean.dataSync();
    const graph = trace((inputs) => ({ mean: splitEncoder.apply(networks, "e", inputs.x as tf.Tensor4D).mean }), {
      name: "encode",
      inputs: { x: { shape: ["batch", 32, 32, 1], dtype: "float32" } },
      variables: "frozen",
    });
    const products = graph.nodes.filter(({ op }) => ["MatMul", "Gemm", "Einsum"].includes(op)).length;
    expect(products).toBe({ conv2: 3, conv4: 2, fc: 3 }[splitAfter]);
    const session = await createSession(writeOnnx(graph));
    const { mean } = await session.run({
      x: { dtype: "float32", shape: [3, 32, 32, 1], data: x.dataSync() as Float32Array },
    });
    for (const [i, value] of eager.entries()) expect(mean!.data[i]).toBeCloseTo(value, 5);
    await session.release();
  });

  test(`split after ${splitAfter}: its parameters are counted without making it, and the control has as many`, () => {
    const published: SplitShape = {
      size: 64,
      channels: 1,
      filters: 32,
      latents: 10,
      splitAfter,
      branchWidth: 32,
      branchFilters: 16,
      hidden: 256,
    };
    const count = splitEncoderParameters(published);
    expect(countParameters(splitEncoder.init("e", published, 1))).toBe(count);
    tf.disposeVariables();
    const hidden = matchedHidden(published);
    const control = countParameters(locatelloEncoder.init("e", published, { latents: 10, hidden, seed: 1 }));
    // One unit more or less of the control's dense layer is 1,045 parameters.
    expect(Math.abs(control - count)).toBeLessThanOrEqual(523);
  });
}

test("at the default place branches of width 26 have as many parameters as the vanilla encoder, of width 256 many more", () => {
  const at = (branchWidth: number) =>
    splitEncoderParameters({
      size: 64,
      channels: 1,
      filters: 32,
      latents: 10,
      splitAfter: "conv4",
      branchWidth,
      branchFilters: 64,
      hidden: 256,
    });
  expect(at(26)).toBe(308_704);
  expect(at(256)).toBe(2_670_804);
});
