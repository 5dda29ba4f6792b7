import * as tf from "@tensorflow/tfjs-core";
import { createSession } from "../runtime/create-session.ts";
import type { Session } from "../runtime/session.ts";
import { createWasmSession } from "../runtime/wasm-session.ts";
import { FailureError } from "../schemas/errors.ts";
import type { TaskManifest } from "../schemas/manifest.ts";
import type { HostTensor } from "../schemas/tensor.ts";
import { onCpu } from "./backends.ts";
import { type ParityInput, parityTensor, type RowKind, seededUniform } from "./parity-inputs.ts";
import { requireNumbers } from "./parity-nan.ts";
import { parityTolerance } from "./parse-tolerance.ts";
import type { TensorFunction } from "./traced-function.ts";

export type ParityCase = TaskManifest["parity"][number];

export interface ParityOptions {
  /** What the error message calls the model, for instance the name of the task. */
  readonly name: string;
  /** The function that was traced. */
  readonly fn: TensorFunction;
  /** The file made from it. */
  readonly model: Uint8Array;
  readonly inputs: Readonly<Record<string, ParityInput>>;
  readonly seed: number;
  /** By output, what its errors are relative to at least, where all of its values may lie near zero: 1 for a picture. */
  readonly scales?: Readonly<Record<string, number>>;
  /** Sizes of a symbolic batch; default: 1, 2, 7. */
  readonly batches?: readonly number[];
  /** Largest error allowed, relative to the largest value of an output; default: `parityTolerance`. */
  readonly tolerance?: number | undefined;
}

const eager = "tfjs cpu, eager";
const wasm = "onnxruntime wasm";
const native = "onnxruntime cpu";

/**
 * Proves that a file computes what its function computes: ONNX Runtime's CPU provider against eager tfjs on its `cpu`
 * backend, and against ONNX Runtime's WebAssembly build, on seeded inputs (noise, structure, zeros, large values).
 *
 * Eager tfjs needs seconds for a batch of 64x64 images, so it runs once for each batch size, with rows of several
 * kinds, and once for one row of large values: eleven rows in all by default.
 *
 * @returns the largest error for each reference and batch size
 * @throws FailureError `parity` with the worst output, where it is, and both values; or with one that is always NaN
 */
export async function checkParity(options: ParityOptions): Promise<ParityCase[]> {
  const { fn, model, inputs, seed, tolerance = parityTolerance } = options;
  const uniform = seededUniform(seed);
  const worst = new Map<string, Gap & { reference: string; batch: number }>();
  const runs: { batch: number; isLarge: boolean; actual: Tensors; references: Record<string, Tensors> }[] = [];
  const sessions: Session[] = [];
  try {
    const cpu = await createSession(model, { threads: 1 });
    sessions.push(cpu);
    const web = await createWasmSession(model);
    sessions.push(web);
    for (const { batch, rows } of plannedRuns(inputs, options.batches ?? [1, 2, 7])) {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, input]) => [name, parityTensor(input, rows, uniform)]),
      );
      const actual = await cpu.run(feeds);
      const references = { [eager]: await runEagerly(fn, feeds), [wasm]: await web.run(feeds) };
      runs.push({ batch, isLarge: rows.includes("large"), actual, references });
    }
    // An output's scale is that of all ordinary rows: those of one run may happen to lie near zero.
    const least = new Map(Object.entries(options.scales ?? {}));
    const scales = scalesOf(
      least,
      runs.filter(({ isLarge }) => !isLarge).map(({ references }) => references[eager]!),
    );
    for (const { batch, isLarge, actual, references } of runs) {
      for (const [reference, expected] of Object.entries(references)) {
        const gap = worstGap(expected, actual, isLarge ? least : scales);
        const key = `${reference} ${batch}`;
        if (gap.error >= (worst.get(key)?.error ?? 0)) worst.set(key, { ...gap, reference, batch });
      }
    }
  } finally {
    for (const session of sessions) await session.release();
  }
  const cases = [...worst.values()].sort((a, b) => b.error - a.error);
  const first = cases[0];
  if (first !== undefined && !(first.error <= tolerance)) {
    throw new FailureError(
      `Cannot export "${options.name}": output "${first.output}" must agree with ${first.reference} within ${tolerance} of its scale, got ${first.error.toExponential(2)} at [${first.index.join(", ")}] of batch ${first.batch} (wanted ${first.wanted}, ${native} gives ${first.actual}); --tolerance allows more, where only rounding is amplified`,
      { code: "parity" },
    );
  }
  requireNumbers(
    options.name,
    runs.map(({ references }) => references[eager]!),
  );
  return cases
    .map(({ reference, batch, error }) => ({ reference, batch, maxRelativeError: error }))
    .sort((a, b) => a.reference.localeCompare(b.reference) || a.batch - b.batch);
}

interface Run {
  readonly batch: number;
  readonly rows: readonly RowKind[];
}

/** Large values have a run of their own: their scale would hide errors of the other rows. */
function plannedRuns(inputs: ParityOptions["inputs"], batches: readonly number[]): Run[] {
  const ordinary: readonly RowKind[] = ["random", "structured", "zeros"];
  const isDynamic = Object.values(inputs).some((input) => input.shape.includes("batch"));
  if (!isDynamic) return [...ordinary, "large" as const].map((kind) => ({ batch: 1, rows: [kind] }));
  const runs = batches.map((batch, run) => ({
    batch,
    rows: Array.from({ length: batch }, (_, row) => ordinary[(run + row) % ordinary.length]!),
  }));
  return [...runs, { batch: 1, rows: ["large"] }];
}

function runEagerly(
  fn: TensorFunction,
  feeds: Readonly<Record<string, HostTensor>>,
): Promise<Record<string, HostTensor>> {
  return onCpu(
    () =>
      tf.tidy(() => {
        const inputs = Object.entries(feeds).map(([name, { dtype, shape, data }]) => {
          const isUint8 = dtype === "uint8"; // tfjs has no such type: it sees int32
          const values = isUint8 ? Int32Array.from(data as Uint8Array) : (data as Float32Array);
          return [name, tf.tensor(values, [...shape], isUint8 ? "int32" : (dtype as tf.DataType))] as const;
        });
        const outputs = Object.entries(fn(Object.fromEntries(inputs)));
        return Object.fromEntries(
          outputs.map(([name, tensor]) => [
            name,
            {
              dtype: tensor.dtype as HostTensor["dtype"],
              shape: tensor.shape,
              data: tensor.dataSync() as Float32Array,
            },
          ]),
        );
      }) as unknown as Record<string, HostTensor>,
  );
}

interface Gap {
  /** Largest |difference| of an output over its scale; infinite where shape, dtype or finiteness differ. */
  readonly error: number;
  readonly output: string;
  readonly index: readonly number[];
  readonly wanted: number | string;
  readonly actual: number | string;
}

type Tensors = Readonly<Record<string, HostTensor>>;

/** Largest finite |value| of each output over several runs, and not below `least`. */
function scalesOf(least: ReadonlyMap<string, number>, runs: readonly Tensors[]): ReadonlyMap<string, number> {
  const scales = new Map(least);
  for (const run of runs) {
    for (const [output, tensor] of Object.entries(run)) {
      scales.set(output, Math.max(scales.get(output) ?? 0, scaleOf(tensor)));
    }
  }
  return scales;
}

function scaleOf({ data }: HostTensor): number {
  let scale = 0;
  for (const value of data) if (Number.isFinite(Number(value))) scale = Math.max(scale, Math.abs(Number(value)));
  return scale;
}

/**
 * The output that is furthest from its reference.
 *
 * @param scales what an output's error is relative to; default: its own largest |reference|
 */
export function worstGap(expected: Tensors, actual: Tensors, scales?: ReadonlyMap<string, number>): Gap {
  const gaps = Object.entries(expected).map(([output, wanted]): Gap => {
    const got = actual[output];
    const type = (tensor: HostTensor | undefined): string =>
      tensor === undefined ? "no such output" : `${tensor.dtype} [${tensor.shape.join(", ")}]`;
    if (got === undefined || type(got) !== type(wanted)) {
      return { error: Number.POSITIVE_INFINITY, output, index: [], wanted: type(wanted), actual: type(got) };
    }
    return { output, ...elementGap(wanted, got, Math.max(scales?.get(output) ?? 0, scaleOf(wanted))) };
  });
  return gaps.reduce((a, b) => (b.error > a.error ? b : a), {
    error: 0,
    output: "",
    index: [],
    wanted: 0,
    actual: 0,
  });
}

function elementGap(expected: HostTensor, actual: HostTensor, scale: number): Omit<Gap, "output"> {
  let worst = { difference: 0, at: 0 };
  for (let i = 0; i < expected.data.length; i++) {
    const [wanted, got] = [Number(expected.data[i]), Number(actual.data[i])];
    // The same infinity or NaN on both sides is agreement (see `requireNumbers` for those that are always NaN); one that
    // only one side has is an infinite difference.
    const difference = Object.is(wanted, got) || wanted === got ? 0 : Math.abs(wanted - got);
    if (Number.isNaN(difference) || difference > worst.difference) {
      worst = { difference: Number.isNaN(difference) ? Number.POSITIVE_INFINITY : difference, at: i };
    }
  }
  // Below the normal numbers of float32 there is no scale to speak of.
  const error = worst.difference === 0 ? 0 : worst.difference / Math.max(scale, 2 ** -126);
  const index: number[] = [];
  for (let axis = expected.shape.length - 1, rest = worst.at; axis >= 0; axis--) {
    index.unshift(rest % expected.shape[axis]!);
    rest = Math.floor(rest / expected.shape[axis]!);
  }
  return { error, index, wanted: Number(expected.data[worst.at]), actual: Number(actual.data[worst.at]) };
}
