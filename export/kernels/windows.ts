import type * as tf from "@tensorflow/tfjs-core";
import { backend_util } from "@tensorflow/tfjs-core";
import { type Attributes, ints } from "../graph.ts";
import type { Traced } from "../traced.ts";

/** Geometry of convolutions and poolings, as tfjs computes it and as ONNX wants it. */

export type Window = backend_util.Conv2DInfo;

type Shape4D = [number, number, number, number];

type WindowAttrs = Pick<tf.Conv2DAttrs, "strides" | "pad"> &
  Partial<Pick<tf.Conv2DAttrs, "dataFormat" | "dilations" | "dimRoundingMode">>;

export function convolutionWindow(
  x: readonly number[],
  filter: readonly number[],
  { strides, pad, dilations, dimRoundingMode, dataFormat }: WindowAttrs,
  depthwise = false,
): Window {
  if (dataFormat !== undefined && dataFormat !== "NHWC") {
    throw new Error(`Cannot trace a convolution: dataFormat must be NHWC, got ${dataFormat}`);
  }
  return sound(
    backend_util.computeConv2DInfo(
      x as Shape4D,
      filter as Shape4D,
      strides,
      dilations ?? 1,
      pad,
      dimRoundingMode,
      depthwise,
    ),
  );
}

/** tfjs takes the height of filter and stride for the width too where the padding is a number. */
function sound(window: Window): Window {
  const [rows, columns] = unseen(window);
  const height = window.outHeight + Math.floor(rows / window.strideHeight);
  const width = window.outWidth + Math.floor(columns / window.strideWidth);
  if (height === window.outHeight && width === window.outWidth) return window;
  throw new Error(
    `Cannot trace a convolution or pooling: its output size must be ${height} x ${width}, got ${window.outHeight} x ${window.outWidth}; use explicit pads`,
  );
}

export function poolingWindow(
  x: Traced,
  { filterSize, strides, pad, dimRoundingMode }: Omit<tf.MaxPoolAttrs, "dimRoundingMode"> & Partial<tf.MaxPoolAttrs>,
): Window {
  if (x.dtype !== "float32") throw new Error(`Cannot trace a pooling: its input must be float32, got ${x.dtype}`);
  const shape = [...x.shape] as Shape4D;
  const window = sound(backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode));
  const [top, left, bottom, right] = pads(window);
  if (Math.max(top, bottom) >= window.filterHeight || Math.max(left, right) >= window.filterWidth) {
    throw new Error(
      `Cannot trace a pooling: every window must overlap the image, got pads ${[top, left, bottom, right]} for windows of ${window.filterHeight} x ${window.filterWidth}`,
    );
  }
  return window;
}

/**
 * [top, left, bottom, right] of ONNX. Bottom and right are what the last window needs: more than tfjs's own numbers
 * where it rounds the output size up, less where the stride leaves padding over.
 */
export function pads(window: Window): [number, number, number, number] {
  const { top, left } = window.padInfo;
  const [rows, columns] = leftOver(window);
  return [top, left, Math.max(0, -rows), Math.max(0, -columns)];
}

/** Input rows and columns, top and left pads included, behind the last window; negative where it looks beyond the image. */
function leftOver(window: Window): [number, number] {
  const { inHeight, inWidth, outHeight, outWidth, strideHeight, strideWidth, padInfo } = window;
  return [
    inHeight + padInfo.top - strideHeight * (outHeight - 1) - window.effectiveFilterHeight,
    inWidth + padInfo.left - strideWidth * (outWidth - 1) - window.effectiveFilterWidth,
  ];
}

/** Input rows and columns that no window sees: what a gradient to the input must append as zeros. */
export function unseen(window: Window): [number, number] {
  const [rows, columns] = leftOver(window);
  return [Math.max(0, rows), Math.max(0, columns)];
}

export function windowAttributes(window: Window): Attributes {
  return {
    pads: ints(pads(window)),
    strides: ints([window.strideHeight, window.strideWidth]),
    dilations: ints([window.dilationHeight, window.dilationWidth]),
  };
}

/** Shape of the windowed operation's result, [batch, channels, height, width]. */
export function outNchw(window: Window): number[] {
  return [window.batchSize, window.outChannels, window.outHeight, window.outWidth];
}

/** Shape of its input, [batch, channels, height, width]. */
export function inNchw(window: Window): number[] {
  return [window.batchSize, window.inChannels, window.inHeight, window.inWidth];
}

/** tfjs's gradients forget `dimRoundingMode`: with "ceil" their own numbers leave out the last windows. */
export function requireGradientSize(kernel: string, window: Window, dy: Traced): void {
  const [, height, width] = dy.shape;
  if (height === window.outHeight && width === window.outWidth) return;
  throw new Error(
    `Cannot trace the kernel ${kernel}: its gradient must be ${window.outHeight} x ${window.outWidth}, got ${height} x ${width}; use a padding that needs no dimRoundingMode`,
  );
}
