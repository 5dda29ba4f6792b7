import { expect, test } from "vitest";
import type { Recipe } from "../../../schemas/recipe.ts";
import type { CompiledTasks } from "../../../train/evaluate/compile-tasks.ts";
import { judgeProtocol } from "../../../train/evaluate/judge.ts";
import type { Subject } from "../../../train/evaluate/protocol.ts";
import type { PairSource } from "../../../train/data/pair-source.ts";

/** Images of one pixel that says its label, 0 to 3. */
const source: PairSource = {
  description: {
    name: "made",
    summary: "made here",
    views: [{ name: "view_1", height: 1, width: 1, channels: 1 }],
    factors: [{ name: "label", size: 4, role: "common" }],
    provenance: {},
  },
  draw(size, random) {
    const label = Int32Array.from({ length: size }, () => random.integer(4));
    return {
      tensors: {
        view_1: { dtype: "uint8", shape: [size, 1, 1, 1], data: Uint8Array.from(label) },
        label: { dtype: "int32", shape: [size], data: label },
      },
      labels: [{ label }, { label }],
    };
  },
};

/** @param probabilities of the four classes, for an image of this label */
async function figuresOf(
  probabilities: (label: number) => readonly number[],
  pairs = 2000,
): Promise<Map<string, number>> {
  const run = async (_task: string, { view_1 }: { view_1: { data: ArrayLike<number | bigint> } }) => {
    const logits = Array.from(view_1.data, (label) => probabilities(Number(label)).map((p) => 3 + Math.log(p))).flat();
    return { logits: { dtype: "float32" as const, shape: [logits.length / 4, 4], data: Float32Array.from(logits) } };
  };
  const subject = {
    recipe: { data: { source: "made" } } as unknown as Recipe,
    source,
    tasks: { run } as unknown as CompiledTasks,
    pairs,
    seed: 5,
    onProgress: () => undefined,
  } as unknown as Subject;
  const { figures } = await judgeProtocol(subject);
  for (const { interval, value } of figures) {
    expect(interval![0]).toBeLessThanOrEqual(value + 1e-12);
    expect(interval![1]).toBeGreaterThanOrEqual(value - 1e-12);
  }
  return new Map(figures.map(({ quantity, value }) => [quantity, value]));
}

const oneOf = (...likely: number[]): number[] =>
  [0, 1, 2, 3].map((at) => (likely.includes(at) ? 1 / likely.length : 1e-9));

test("a classifier that is sure and right tells all of the label", async () => {
  const figures = await figuresOf((label) => oneOf(label));
  expect(figures.get("accuracy.test")).toBe(1);
  expect(figures.get("label_bits.test")).toBeCloseTo(2, 2);
});

test("one that wavers between two of four classes tells one of two bits", async () => {
  const figures = await figuresOf((label) => oneOf(label, label ^ 1));
  expect(figures.get("label_bits.test")).toBeCloseTo(1, 2);
});

test("one that knows nothing tells nothing, and one that is sure and wrong tells less", async () => {
  expect((await figuresOf(() => oneOf(0, 1, 2, 3))).get("label_bits.test")).toBeCloseTo(0, 2);
  const wrong = await figuresOf((label) => [0, 1, 2, 3].map((at) => (at === label ? 0.01 : 0.33)));
  expect(wrong.get("accuracy.test")).toBe(0);
  expect(wrong.get("label_bits.test")).toBeCloseTo(2 + Math.log2(0.01), 2);
});
