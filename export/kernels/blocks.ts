import type * as tf from "@tensorflow/tfjs-core";
import { backend_util, util } from "@tensorflow/tfjs-core";
import { int } from "../graph.ts";
import { type Lowering, need } from "../lowering.ts";
import { fromPlain, plain, type Traced } from "../traced.ts";
import { Reshape, Transpose } from "./shape.ts";
import { PadV2, Slice } from "./slicing.ts";

/** Mirrored borders, and the blocks that tf.pool and dilated convolutions move into the batch. */

/** Picks indices along one axis after the other. tfjs's gradient of it is a slice: it leaves out what was mirrored. */
export const MirrorPad: Lowering<tf.MirrorPadAttrs> = (graph, inputs, { paddings, mode }) => {
  const x = need(inputs, "x");
  const repeat = mode === "symmetric" ? 1 : 0;
  let value = plain(graph, x);
  for (const [axis, [before, after]] of paddings.entries()) {
    if (before === 0 && after === 0) continue;
    const length = x.shape[axis]!;
    const indices = Array.from({ length: before + length + after }, (_, i) => {
      const from = i - before;
      if (from < 0) return -from - repeat;
      return from < length ? from : 2 * (length - 1) - from + repeat;
    });
    const shape = value.shape.map((size, i) => (i === axis ? indices.length : size));
    value = graph.node("Gather", [value, graph.int64s(indices)], { dtype: value.dtype, shape }, { axis: int(axis) });
  }
  return fromPlain(value, x.dtype);
};

export const SpaceToBatchND: Lowering<tf.SpaceToBatchNDAttrs> = (graph, inputs, { blockShape, paddings }) => {
  const x = need(inputs, "x");
  const blockSize = util.sizeFromShape(blockShape);
  const rest = x.shape.slice(1 + blockShape.length);
  const allPaddings = [[0, 0], ...paddings, ...rest.map(() => [0, 0])] as [number, number][];
  const padded = PadV2(graph, { x }, { paddings: allPaddings, constantValue: 0 }) as Traced;
  const size = [...padded.shape];
  const split = backend_util.getReshaped(size, blockShape, blockSize, false);
  const perm = backend_util.getPermuted(split.length, blockShape.length, false);
  const blocks = Reshape(graph, { x: padded }, { shape: split }) as Traced;
  const moved = Transpose(graph, { x: blocks }, { perm }) as Traced;
  return Reshape(graph, { x: moved }, { shape: backend_util.getReshapedPermuted(size, blockShape, blockSize, false) });
};

export const BatchToSpaceND: Lowering<tf.BatchToSpaceNDAttrs> = (graph, inputs, { blockShape, crops }) => {
  const x = need(inputs, "x");
  const size = [...x.shape];
  const blockSize = util.sizeFromShape(blockShape);
  const split = backend_util.getReshaped(size, blockShape, blockSize);
  const perm = backend_util.getPermuted(split.length, blockShape.length);
  const whole = backend_util.getReshapedPermuted(size, blockShape, blockSize);
  const blocks = Reshape(graph, { x }, { shape: split }) as Traced;
  const moved = Transpose(graph, { x: blocks }, { perm }) as Traced;
  const joined = Reshape(graph, { x: moved }, { shape: whole }) as Traced;
  const begin = backend_util.getSliceBeginCoords(crops, blockShape.length);
  return Slice(graph, { x: joined }, { begin, size: backend_util.getSliceSize(whole, crops, blockShape.length) });
};
