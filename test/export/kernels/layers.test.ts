import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { expect, test } from "vitest";
import { floats, type KernelCase, checkGradients, checkKernels } from "./parity.ts";

/** Networks as people write them with tf.layers, which reaches kernels that plain functions do not. */

const { conv2d, conv2dTranspose, batchNormalization, maxPooling2d, averagePooling2d } = layers.layers;
const { upSampling2d, separableConv2d, flatten, dense, reshape, leakyReLU, dropout, zeroPadding2d } = layers.layers;

const seeded = (seed: number) => layers.initializers.glorotNormal({ seed });

function autoencoder(): layers.Sequential {
  const model = layers.sequential();
  model.add(
    conv2d({ inputShape: [8, 12, 3], filters: 5, kernelSize: 3, padding: "same", kernelInitializer: seeded(1) }),
  );
  model.add(batchNormalization());
  model.add(leakyReLU({ alpha: 0.1 }));
  model.add(maxPooling2d({ poolSize: 2 }));
  model.add(
    separableConv2d({
      filters: 6,
      kernelSize: 3,
      padding: "same",
      activation: "elu",
      depthwiseInitializer: seeded(2),
      pointwiseInitializer: seeded(3),
    }),
  );
  model.add(averagePooling2d({ poolSize: [2, 3], strides: [1, 2] }));
  model.add(flatten());
  model.add(dropout({ rate: 0.5 })); // does nothing in inference
  model.add(dense({ units: 24, activation: "tanh", kernelInitializer: seeded(4) }));
  model.add(reshape({ targetShape: [2, 3, 4] }));
  model.add(upSampling2d({ size: [2, 2] }));
  model.add(zeroPadding2d({ padding: 1 }));
  model.add(conv2dTranspose({ filters: 2, kernelSize: 4, strides: 2, padding: "same", kernelInitializer: seeded(5) }));
  return model;
}

test("a tf.layers autoencoder agrees with eager tfjs at any batch size", async () => {
  const model = autoencoder();
  const network: KernelCase = {
    name: "autoencoder",
    inputs: { x: floats(["batch", 8, 12, 3]) },
    fn: ({ x }) => model.apply(x!) as tf.Tensor,
  };
  const shape = tf.tidy(() => (network.fn({ x: tf.zeros([1, 8, 12, 3]) }) as tf.Tensor).shape);
  expect(shape).toEqual([1, 12, 16, 2]);
  await checkKernels([network]);
  await checkGradients([network], { batches: [1] }); // from the second image on, tfjs's gradient of upsampling is wrong
  model.dispose();
});
