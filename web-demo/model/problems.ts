import { bootstrapMean } from "../../information/bootstrap.ts";
import { labelCounts, labelEntropy } from "../../information/label-entropy.ts";
import { stream } from "../../information/random.ts";
import { bitsPerNat } from "../../information/units.ts";
import type { Figure, TensorSpec } from "../../schemas/manifest.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { exampleFeeds, sampleOfInput } from "./example-feeds.ts";
import type { Model } from "./model.ts";
import type { Estimate } from "./shared-bits.ts";

/** Sources that predict a target, as a bundle of the RINE family answers it. */
export interface Problem {
  /** Ending of its tasks: `and`; empty where the bundle holds one problem. */
  readonly id: string;
  readonly sources: readonly Source[];
  /** Names of the target's values. */
  readonly classes: readonly string[];
}

export interface Source {
  readonly number: number;
  readonly task: string;
  readonly input: TensorSpec;
}

/** The problems of a bundle, by the names of its tasks: `predict_<source>` or `predict_<source>_<problem>`. */
export function problemsOf(model: Model): Problem[] {
  const found = new Map<string, { sources: Source[]; classes: readonly string[] }>();
  for (const [task, { inputs, outputs }] of Object.entries(model.manifest.tasks)) {
    const [, number, id = ""] = /^predict_(\d+)(?:_(.+))?$/.exec(task) ?? [];
    const [input, probabilities] = [inputs[0], outputs.find(({ name }) => name === "probabilities")];
    if (number === undefined || input === undefined || probabilities === undefined) continue;
    const classes = probabilities.names ?? Array.from({ length: probabilities.shape[1] ?? 0 }, (_, i) => String(i));
    const problem = found.get(id) ?? { sources: [], classes };
    problem.sources.push({ number: Number(number), task, input });
    found.set(id, problem);
  }
  return [...found]
    .map(([id, problem]) => ({ id, ...problem }))
    .filter(({ id, sources }) => sources.length > 1 && model.task(taskOf("redundant_information", id)) !== undefined);
}

export function taskOf(task: string, problem: string): string {
  return problem === "" ? task : `${task}_${problem}`;
}

/** The sample's value of the target, and how many examples there are; undefined where the bundle brings none. */
export function targetsOf(tensors: ReadonlyMap<string, HostTensor>, { id }: Problem): Int32Array | undefined {
  return sampleOfInput(tensors, { task: taskOf("redundant_information", id), input: "y" })?.data as
    | Int32Array
    | undefined;
}

/** Figures of the bundle's evaluation that speak of a problem: `redundant.AND.beta15` of `and`. */
export function figuresOf(model: Model, { id }: Problem): Figure[] {
  return model.manifest.evaluation.filter(
    ({ quantity }) => id === "" || quantity.toLowerCase().split(".").includes(id.toLowerCase()),
  );
}

/** What the networks say of a set of examples. Bits, but for the disagreement. */
export interface Redundancy {
  readonly examples: number;
  /** H(Y) of the targets, plug-in. */
  readonly entropy: number;
  /** H(Y) minus the mean cross-entropy of the networks that agree. */
  readonly redundant: Estimate;
  /** What each source tells alone, and all together; undefined where the bundle has no such networks. */
  readonly alone: readonly (Estimate | undefined)[];
  readonly together: Estimate | undefined;
  /** Mean L1 distance of the predictions that should agree, 0..2. */
  readonly disagreement: number;
}

const rowsAtOnce = 128;

/**
 * Redundant information of examples of the sample.
 *
 * Source: RINE paper, equations 4-8: H(Y) minus the mean cross-entropy of predictors that must agree.
 */
export async function redundancyOf(
  model: Model,
  problem: Problem,
  { tensors, rows, seed }: { tensors: ReadonlyMap<string, HostTensor>; rows: readonly number[]; seed: number },
): Promise<Redundancy> {
  const targets = targetsOf(tensors, problem)!;
  const labels = Int32Array.from(rows, (row) => targets[row]!);
  const surprise = surprises(labels, problem.classes.length);
  const estimate = (nats: ArrayLike<number>, name: string): Estimate => {
    const bits = surprise.map((value, i) => value - nats[i]! * bitsPerNat);
    const interval = bootstrapMean(bits, { draw: stream(seed, "bootstrap", name).integer });
    return { bits: mean(bits), interval };
  };
  const asked = await columnsOf(model, taskOf("redundant_information", problem.id), { tensors, rows, seed });
  const parts = await columnsOf(model, taskOf("partial_information", problem.id), { tensors, rows, seed });
  const agreeing = problem.sources.map(({ number }) => asked.get(`cross_entropy_${number}`)!);
  const free = (column: string): Estimate | undefined => {
    const nats = parts.get(`cross_entropy.${column}`);
    return nats && estimate(nats, column);
  };
  return {
    examples: rows.length,
    entropy: labelEntropy(labels, problem.classes.length),
    redundant: estimate(
      surprise.map((_, i) => mean(agreeing.map((nats) => nats[i]!))),
      "redundant",
    ),
    alone: problem.sources.map(({ number }) => free(`beta0.x${number}`)),
    together: free("joint"),
    disagreement: mean(asked.get("disagreement")!),
  };
}

/** -log2 of the share of each example's target among the targets: its mean is their entropy. */
function surprises(labels: Int32Array, classes: number): Float64Array {
  const counts = labelCounts(labels, classes);
  return Float64Array.from(labels, (label) => -Math.log2(counts[label]! / labels.length));
}

/** The outputs of a task over rows by name; of those with named columns each as `<output>.<column>`. Empty without the task. */
async function columnsOf(
  model: Model,
  task: string,
  { tensors, rows, seed }: { tensors: ReadonlyMap<string, HostTensor>; rows: readonly number[]; seed: number },
): Promise<Map<string, number[]>> {
  const columns = new Map<string, number[]>();
  const outputs = model.task(task)?.outputs ?? [];
  for (let from = 0; outputs.length > 0 && from < rows.length; from += rowsAtOnce) {
    const part = rows.slice(from, from + rowsAtOnce);
    const made = await model.run(task, exampleFeeds(model, task, { tensors, rows: part, seed }));
    for (const { name, names = [""] } of outputs) {
      for (const [at, column] of names.entries()) {
        const key = column === "" ? name : `${name}.${column}`;
        const values = part.map((_, row) => Number(made[name]!.data[row * names.length + at]));
        columns.set(key, [...(columns.get(key) ?? []), ...values]);
      }
    }
  }
  return columns;
}

function mean(values: ArrayLike<number>): number {
  return Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
}
