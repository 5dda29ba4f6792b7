import type * as tf from "@tensorflow/tfjs-core";
import { type Lowering, need } from "../lowering.ts";
import { reduce } from "./reduce.ts";

export const Sum: Lowering<tf.SumAttrs> = (graph, inputs, attrs) =>
  reduce(graph, "ReduceSum", need(inputs, "x"), attrs);
export const Mean: Lowering<tf.MeanAttrs> = (graph, inputs, attrs) =>
  reduce(graph, "ReduceMean", need(inputs, "x"), attrs);
export const Max: Lowering<{ reductionIndices: number | number[]; keepDims: boolean }> = (graph, inputs, attrs) =>
  reduce(graph, "ReduceMax", need(inputs, "x"), { axis: attrs.reductionIndices, keepDims: attrs.keepDims });
