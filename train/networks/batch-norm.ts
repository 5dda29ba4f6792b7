import * as tf from "@tensorflow/tfjs-core";
import type { Networks } from "../models/family.ts";
import { type MutableNetworks, namedVariable, parameter } from "./parameters.ts";

/** `training`: by the moments of the batch, which move the averages. `inference`: by the averages. */
export type NormMode = "training" | "inference";

/** The values of PyTorch: added to a variance, and share of a batch in the moving averages. */
const epsilon = 1e-5;
const momentum = 0.1;

/** Adds `<name>.scale` and `<name>.offset`, and the buffers `<name>.mean` and `<name>.variance`. */
export function addBatchNorm(into: MutableNetworks, name: string, channels: number): void {
  into[`${name}.scale`] = namedVariable(`${name}.scale`, () => tf.ones([channels]));
  into[`${name}.offset`] = namedVariable(`${name}.offset`, () => tf.zeros([channels]));
  into[`${name}.mean`] = buffer(`${name}.mean`, () => tf.zeros([channels]));
  into[`${name}.variance`] = buffer(`${name}.variance`, () => tf.ones([channels]));
}

function buffer(name: string, value: () => tf.Tensor): tf.Variable {
  return tf.tidy(() => tf.variable(value(), false, name));
}

/**
 * Batch normalisation over all axes but the last.
 *
 *   y = scale (x - mean) / sqrt(variance + 1e-5) + offset
 *
 * In training mode the batch is normalised by its own moments (variance divided by n), and the averages move by a tenth
 * (variance divided by n - 1), as in PyTorch. The moments are those of the whole batch: it must not come in chunks.
 *
 * Source: Ioffe & Szegedy 2015, https://arxiv.org/abs/1502.03167
 *
 * @param x [..., channels]
 */
export function batchNorm<T extends tf.Tensor>(networks: Networks, name: string, x: T, mode: NormMode): T {
  const [scale, offset] = [parameter(networks, `${name}.scale`), parameter(networks, `${name}.offset`)];
  const [average, spread] = [parameter(networks, `${name}.mean`), parameter(networks, `${name}.variance`)];
  if (mode === "inference")
    return tf.batchNorm(
      x,
      average as tf.Tensor1D,
      spread as tf.Tensor1D,
      offset as tf.Tensor1D,
      scale as tf.Tensor1D,
      epsilon,
    ) as T;
  const axes = x.shape.slice(0, -1).map((_, axis) => axis);
  const n = x.size / x.shape.at(-1)!;
  const mean = tf.mean(x, axes);
  const variance = tf.mean(tf.square(tf.sub(x, mean)), axes);
  move(average, mean);
  move(spread, tf.mul(variance, n / (n - 1)));
  return normalise(x, { scale, offset, mean, variance, axes, n }) as T;
}

function move(average: tf.Variable, now: tf.Tensor): void {
  average.assign(tf.add(tf.mul(average, 1 - momentum), tf.mul(now, momentum)));
}

interface Moments {
  readonly scale: tf.Tensor;
  readonly offset: tf.Tensor;
  readonly mean: tf.Tensor;
  readonly variance: tf.Tensor;
  readonly axes: number[];
  readonly n: number;
}

/**
 * The gradient by hand passes over x five times, where autodiff through the moments takes a dozen:
 *
 *   dx = scale / sqrt(variance + eps) ( dy - mean(dy) - z mean(dy z) ),   z the normalised x
 */
function normalise(x: tf.Tensor, { scale, offset, mean, variance, axes, n }: Moments): tf.Tensor {
  const inverse = tf.rsqrt(tf.add(variance, epsilon));
  const apply = tf.customGrad((input, gain, ...rest) => {
    const [shift, save] = rest as [tf.Tensor, tf.GradSaveFunc];
    const z = tf.mul(tf.sub(input as tf.Tensor, mean), inverse);
    save([z, gain as tf.Tensor, inverse]); // what is not saved is gone when the gradient is taken
    return {
      value: tf.add(tf.mul(z, gain as tf.Tensor), shift),
      gradFunc: (dy: tf.Tensor, saved: tf.Tensor[]) => {
        const [normal, factor, rate] = saved as [tf.Tensor, tf.Tensor, tf.Tensor];
        const [dShift, dGain] = [tf.sum(dy, axes), tf.sum(tf.mul(dy, normal), axes)];
        const centred = tf.sub(tf.sub(dy, tf.div(dShift, n)), tf.mul(normal, tf.div(dGain, n)));
        return [tf.mul(centred, tf.mul(factor, rate)), dGain, dShift];
      },
    };
  });
  return apply(x, scale, offset);
}
