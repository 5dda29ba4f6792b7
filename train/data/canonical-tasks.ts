import type { JointDistribution } from "../../information/joint-distribution.ts";
import {
  andTask,
  imperfectRedundancyTask,
  redundantXorTask,
  uniqueTask,
} from "../../information/redundancy-examples.ts";
import type { CanonicalTasksOptions } from "../../schemas/data.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { Random } from "../random.ts";
import type { Minibatch, PairSource } from "./pair-source.ts";

/** The tasks of tables 2 to 5 of the RINE paper by their names there: variables x1, x2, y. */
export const canonicalTasks = {
  UNQ: uniqueTask,
  AND: andTask,
  RDNXOR: redundantXorTask,
  IMPERFECTRDN: imperfectRedundancyTask,
} as const satisfies Readonly<Record<string, () => JointDistribution>>;
export type CanonicalTask = keyof typeof canonicalTasks;

/**
 * Draws the canonical tasks side by side: for each its sources `<task>_x1`, `<task>_x2` as float32 [size, 1], the plain
 * integer that stands for the symbol, as the RINE authors feed it, and its target `<task>_y` as int32 [size].
 *
 * Every draw is fresh, where the authors draw 10,000 examples once: with at most 8 outcomes the two differ by sampling
 * error only, and here the test examples need no set of their own.
 */
export function createCanonicalTasks({ tasks }: CanonicalTasksOptions): PairSource {
  const drawn = tasks.map((task) => {
    const joint = canonicalTasks[task]();
    return { task, joint, rises: risingSums(joint.probabilities) };
  });

  function draw(size: number, random: Random): Minibatch {
    const columns = drawn.map(() => ({
      x1: new Float32Array(size),
      x2: new Float32Array(size),
      y: new Int32Array(size),
    }));
    for (let row = 0; row < size; row++) {
      for (const [at, { joint, rises }] of drawn.entries()) {
        const uniform = random.uniform();
        const outcome = rises.findIndex((rise) => uniform < rise);
        const [x1, x2, y] = joint.outcomes.subarray(3 * outcome, 3 * outcome + 3);
        columns[at]!.x1[row] = x1!;
        columns[at]!.x2[row] = x2!;
        columns[at]!.y[row] = y!;
      }
    }
    const tensors: Record<string, HostTensor> = {};
    for (const [at, { task }] of drawn.entries()) {
      const { x1, x2, y } = columns[at]!;
      tensors[`${task}_x1`] = { dtype: "float32", shape: [size, 1], data: x1 };
      tensors[`${task}_x2`] = { dtype: "float32", shape: [size, 1], data: x2 };
      tensors[`${task}_y`] = { dtype: "int32", shape: [size], data: y };
    }
    return { tensors, labels: [{}, {}] };
  }

  return {
    description: {
      name: "canonical-tasks",
      summary: `two sources and a target of ${tasks.join(", ")}, tables 2 to 5 of the RINE paper`,
      views: [],
      factors: [],
      provenance: { tables: "information/redundancy-examples.ts" },
    },
    draw,
  };
}

/** The last one is 1 whatever the rounding, so that every uniform draw falls below one of them. */
function risingSums(probabilities: Float64Array): number[] {
  let sum = 0;
  return Array.from(probabilities, (probability, i) => {
    sum += probability;
    return i === probabilities.length - 1 ? 1 : sum;
  });
}
