import { UsageError } from "../../schemas/errors.ts";
import type { RineConfig, RineProblem } from "../../schemas/rine-config.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { PairSource } from "../data/pair-source.ts";
import { betaName, inputName, sourceNumbers } from "../models/rine-networks.ts";
import { columnNames, taskName } from "../models/rine-tasks.ts";
import { stream } from "../random.ts";
import type { CompiledTasks } from "./compile-tasks.ts";

/** What the networks of one problem say of the test examples. */
export interface Answers {
  /** [examples] */
  readonly labels: Int32Array;
  /** By column of `partial_information`, for instance `beta15.x1` or `joint`: -ln p(y | ...) of every example, nats. */
  readonly crossEntropy: Readonly<Record<string, Float64Array>>;
  /** By weight: mean over the test examples of the L1 distance of the predictions. */
  readonly disagreement: Readonly<Record<string, number>>;
}

/** Examples by graph input. A block at a time, so that images never pile up. */
export type TestExamples = Iterable<Readonly<Record<string, HostTensor>>>;

const blockRows = 500;

/** The held-out examples of a source, the first `wanted` of them, or as many fresh draws where it has none. */
export function testExamples(source: PairSource, { wanted, seed }: { wanted: number; seed: number }) {
  const heldOut = source.heldOut?.();
  const count = heldOut === undefined ? wanted : Math.min(wanted, heldOut.count);
  function* blocks(): Generator<Readonly<Record<string, HostTensor>>> {
    for (let start = 0; start < count; start += blockRows) {
      const rows = Math.min(blockRows, count - start);
      const block = heldOut?.take(start, rows) ?? source.draw(rows, stream(seed, "evaluation", start / blockRows));
      yield block.tensors;
    }
  }
  return { count, isHeldOut: heldOut !== undefined, blocks };
}

/**
 * Asks the networks of every problem about the test examples.
 *
 * @returns by problem
 * @throws UsageError if a label is no class, a class is missing among the examples, or sources differ in length
 */
export async function askNetworks(
  tasks: CompiledTasks,
  config: RineConfig,
  { count, blocks }: { count: number; blocks: () => TestExamples },
): Promise<Readonly<Record<string, Answers>>> {
  const columns = columnNames(config);
  const found = config.problems.map((problem) => ({
    problem,
    labels: new Int32Array(count),
    rows: columns.map(() => new Float64Array(count)),
    apart: new Float64Array(config.betas.length),
  }));
  let start = 0;
  for (const block of blocks()) {
    let size = 0;
    for (const { problem, labels, rows, apart } of found) {
      const inputs = inputsOf(config, problem, block);
      size = inputs.y!.shape[0]!;
      labels.set(labelsOf(problem, inputs.y!, start), start);
      const name = config.problems.length === 1 ? "partial_information" : taskName("partial_information", problem);
      const { cross_entropy: nats, disagreement } = await tasks.run(name, inputs);
      for (let i = 0; i < size; i++) {
        for (const [k, row] of rows.entries()) row[start + i] = Number(nats!.data[i * columns.length + k]);
        for (let k = 0; k < apart.length; k++) apart[k]! += Number(disagreement!.data[i * apart.length + k]) / count;
      }
    }
    start += size;
  }
  return Object.fromEntries(
    found.map(({ problem, labels, rows, apart }) => {
      requireEveryClass(problem, labels);
      const crossEntropy = Object.fromEntries(columns.map((name, k) => [name, rows[k]!]));
      const disagreement = Object.fromEntries(config.betas.map((beta, k) => [betaName(beta), apart[k]!]));
      return [problem.name, { labels, crossEntropy, disagreement }];
    }),
  );
}

const action = "measure redundant information";

/** A problem's part of a block, under the names of the task's inputs. */
function inputsOf(
  config: RineConfig,
  problem: RineProblem,
  block: Readonly<Record<string, HostTensor>>,
): Record<string, HostTensor> {
  const names = [...sourceNumbers(config).map((source) => `x${source}`), "y"];
  const inputs = Object.fromEntries(
    names.map((name) => {
      const tensor = block[inputName(problem, name)];
      if (tensor !== undefined) return [name, tensor];
      const known = Object.keys(block).join(", ");
      throw new UsageError(`Cannot ${action}: the data must give "${inputName(problem, name)}", got ${known}`);
    }),
  );
  const rows = names.map((name) => inputs[name]!.shape[0]!);
  if (new Set(rows).size > 1) {
    const got = names.map((name, i) => `${name}: ${rows[i]}`).join(", ");
    throw new UsageError(`Cannot ${action}: sources and target of "${problem.name}" must have one length, got ${got}`);
  }
  return inputs;
}

function labelsOf({ name, classes }: RineProblem, y: HostTensor, start: number): Int32Array {
  const labels = y.data as Int32Array;
  const wrong = labels.findIndex((label) => label < 0 || label >= classes);
  if (wrong < 0) return labels;
  throw new UsageError(
    `Cannot ${action}: the label of example ${start + wrong} of "${name}" must be 0 .. ${classes - 1}, got ${labels[wrong]}`,
    { code: "bad_label" },
  );
}

/** An absent class makes H(Y) too small and leaves nothing to say of the class. */
function requireEveryClass({ name, classes, classNames }: RineProblem, labels: Int32Array): void {
  const seen = new Set(labels);
  const absent = Array.from({ length: classes }, (_, k) => k).find((k) => !seen.has(k));
  if (absent === undefined) return;
  const known = classNames?.[absent] === undefined ? "" : ` (${classNames[absent]})`;
  throw new UsageError(
    `Cannot ${action}: every class of "${name}" must be among the test examples, got none of class ${absent}${known} in ${labels.length}; use more with --pairs`,
    { code: "absent_class" },
  );
}
