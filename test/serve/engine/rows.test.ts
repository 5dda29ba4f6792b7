import { expect, test } from "vitest";
import type { TaskManifest, TensorSpec } from "../../../schemas/manifest.ts";
import type { HostTensor } from "../../../schemas/tensor.ts";
import { rowsOf } from "../../../serve/engine/rows.ts";

const label: TensorSpec = { name: "y", dtype: "int32", shape: [-1], description: "target", range: [0, 9] };
const spec = { inputs: [label], outputs: [{ ...label, name: "z" }] } as unknown as TaskManifest;
const rules = { spec, batchable: true };
const labels = (...values: number[]): { y: HostTensor } => ({
  y: { dtype: "int32", shape: [values.length], data: Int32Array.from(values) },
});

test("labels that are classes are counted, and one that is none is named with its place", () => {
  expect(rowsOf(labels(0, 9, 5), rules)).toBe(3);
  expect(() => rowsOf(labels(0, 10), rules)).toThrow('Cannot infer: "y" must be 0 .. 9, got 10 at [1]');
  expect(() => rowsOf(labels(-1), rules)).toThrow('"y" must be 0 .. 9, got -1 at [0]');
});

test("an input without a range takes any value", () => {
  const { range: _, ...free } = label;
  expect(rowsOf(labels(1000, -1000), { ...rules, spec: { ...spec, inputs: [free] } })).toBe(2);
});
