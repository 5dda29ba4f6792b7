import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { checkModel } from "../../../export/check.ts";
import { writeOnnx } from "../../../export/onnx-writer.ts";
import { trace } from "../../../export/trace.ts";
import type { TensorFunction, TraceInput } from "../../../export/traced-function.ts";
import { createSession } from "../../../runtime/create-session.ts";
import type { Device } from "../../../runtime/session.ts";
import { elementCount, type HostTensor, type TensorData } from "../../../schemas/tensor.ts";
import { type Random, stream } from "../../../train/random.ts";
import { inFloat64 } from "./float64.ts";

/**
 * The harness of all kernel tests: a function is run eagerly on tfjs's cpu backend and, traced, on ONNX Runtime, and
 * the numbers are compared. Cases that are checked together share one graph and one session.
 *
 *   await checkKernels([{ name: "relu", inputs: { x: floats([2, 3]) }, fn: ({ x }) => tf.relu(x!) }]);
 *   await checkGradients([...]); // the same cases: eager, traced and, in float64, finite differences
 */

await tf.setBackend("cpu");

export interface Input {
  /** `"batch"`: the graph is traced with a symbolic batch and run at several sizes. */
  readonly shape: readonly (number | "batch")[];
  readonly dtype: TraceInput["dtype"];
  readonly draw: (random: Random) => number;
}

export interface KernelCase {
  readonly name: string;
  readonly inputs: Readonly<Record<string, Input>>;
  readonly fn: (inputs: Record<string, tf.Tensor>) => tf.Tensor | Record<string, tf.Tensor>;
  /** What is traced in place of `fn`: faults put in on purpose, to see that the check finds them. */
  readonly traced?: KernelCase["fn"];
  /** Largest gap relative to the largest expected magnitude of an output. Default: 1e-5. */
  readonly tolerance?: number;
  /** Inputs to differentiate by. Default: all of float32. */
  readonly by?: readonly string[];
  /**
   * tfjs's own gradient is wrong, and why: the traced one is compared with finite differences at every coordinate
   * instead, and tfjs's must differ, so that this mark does not outlive the fault.
   */
  readonly tfjsGradientIsWrong?: string;
}

export interface CheckOptions {
  /** Sizes of `"batch"`. Default: 1, 2 and 7. */
  readonly batches?: readonly number[];
  readonly device?: Device;
  /** On WebGPU: kernels that ONNX Runtime's provider lacks in part; by default no node may run on the CPU. */
  readonly mayUseCpu?: boolean;
}

/** Standard normal float32 numbers. */
export const floats = (shape: Input["shape"], draw: Input["draw"] = (random) => random.normal()): Input => ({
  shape,
  dtype: "float32",
  draw,
});

/** Uniform in [low, high): for functions of a limited domain. */
export const between = (low: number, high: number, shape: Input["shape"]): Input =>
  floats(shape, (random) => low + (high - low) * random.uniform());

/** Whole numbers 0 .. below - 1. */
export const integers = (below: number, shape: Input["shape"], dtype: "int32" | "uint8" = "int32"): Input => ({
  shape,
  dtype,
  draw: (random) => random.integer(below),
});

export const booleans = (shape: Input["shape"]): Input => ({ shape, dtype: "bool", draw: (r) => r.integer(2) });

/** The same numbers in every draw, in order, over and over. */
export function given(values: readonly number[], shape: Input["shape"], dtype: Input["dtype"] = "float32"): Input {
  let i = 0;
  return { shape, dtype, draw: () => values[i++ % values.length]! };
}

export const checkKernel = (kernel: KernelCase, options?: CheckOptions): Promise<void> =>
  checkKernels([kernel], options);

/** Fails unless ONNX Runtime gives eager tfjs's shapes, dtypes and values for every case. */
export async function checkKernels(cases: readonly KernelCase[], options?: CheckOptions): Promise<void> {
  expect(await kernelFaults(cases, options)).toEqual([]);
}

export const checkGradient = (kernel: KernelCase, options?: CheckOptions): Promise<void> =>
  checkGradients([kernel], options);

/**
 * Checks the gradients of sum(fn(inputs) * fixed random weights): traced against eager tfjs, and both against central
 * finite differences of `fn` in float64 at a sample of coordinates.
 */
export async function checkGradients(cases: readonly KernelCase[], options?: CheckOptions): Promise<void> {
  expect(await gradientFaults(cases, options)).toEqual([]);
}

export async function gradientFaults(cases: readonly KernelCase[], options: CheckOptions = {}): Promise<string[]> {
  const right = cases.filter(({ tfjsGradientIsWrong }) => tfjsGradientIsWrong === undefined);
  return [
    ...(await faultsOf(cases.map(gradientCase), options)),
    ...right.flatMap((kernel) => differenceFaults(kernel, options)),
  ];
}

/** What differs, in words; empty if nothing does. */
export function kernelFaults(cases: readonly KernelCase[], options: CheckOptions = {}): Promise<string[]> {
  return faultsOf(cases, options);
}

interface Checked extends KernelCase {
  /** What is right, where that is not what eager tfjs computes. */
  readonly truth?: (feeds: Feeds) => Record<string, HostTensor>;
}

async function faultsOf(cases: readonly Checked[], options: CheckOptions): Promise<string[]> {
  const names = cases.map(({ name }) => name);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new Error(`Cannot check kernels: names of cases must differ, got "${twice}" twice`);
  const traced = joined(cases.map((kernel) => ({ ...kernel, fn: kernel.traced ?? kernel.fn })));
  const inputs = Object.fromEntries(
    cases.flatMap(({ name, inputs }) =>
      Object.entries(inputs).map(([input, { shape, dtype }]) => [`${name}/${input}`, { shape, dtype }]),
    ),
  );
  const graph = trace(traced, { name: "cases", inputs, variables: "frozen" });
  const device = options.device ?? "cpu";
  // On WebGPU no node may run on the CPU, but for the arithmetic of a symbolic batch size.
  const isWhole = device === "webgpu" && options.mayUseCpu !== true && !cases.some(isSymbolic);
  const config = isWhole ? { "session.disable_cpu_ep_fallback": "1" } : {};
  const model = writeOnnx(graph);
  checkModel(model); // every operator that a kernel records is one that the checker knows, with the shape it infers
  const session = await createSession(model, { threads: 1, device, config });
  const faults: string[] = [];
  try {
    for (const batch of batchesOf(cases, options)) {
      const feeds = Object.assign({}, ...cases.map((kernel) => drawInputs(kernel, batch))) as Feeds;
      const asked = new Set(session.inputNames);
      const actual = await session.run(Object.fromEntries(Object.entries(feeds).filter(([name]) => asked.has(name))));
      for (const kernel of cases) {
        const { name, tolerance = 1e-5 } = kernel;
        const truth = kernel.truth?.(feeds);
        if (truth !== undefined && isRight(kernel, feeds, truth)) faults.push(`${name}: tfjs is right here`);
        const expected = truth ?? runEagerly(joined([kernel]), feeds);
        for (const [output, want] of Object.entries(expected)) {
          const fault = difference(want, actual[output], tolerance);
          if (fault !== undefined) faults.push(`${output} at batch ${batch}: ${fault}`);
        }
      }
    }
  } finally {
    await session.release();
  }
  return faults;
}

/** Whether eager tfjs agrees with the truth; it may throw. */
function isRight(kernel: Checked, feeds: Feeds, truth: Record<string, HostTensor>): boolean {
  try {
    const eager = runEagerly(joined([kernel]), feeds);
    return Object.entries(truth).every(([name, want]) => difference(want, eager[name], 1e-4) === undefined);
  } catch {
    return false;
  }
}

type Feeds = Readonly<Record<string, HostTensor>>;

const isSymbolic = ({ inputs }: KernelCase): boolean =>
  Object.values(inputs).some(({ shape }) => shape.includes("batch"));

function batchesOf(cases: readonly KernelCase[], { batches = [1, 2, 7] }: CheckOptions): readonly number[] {
  return cases.some(isSymbolic) ? batches : [0];
}

/** One function of `<case>/<input>` that runs all cases and returns `<case>/<output>`. */
function joined(cases: readonly KernelCase[]): TensorFunction {
  return (all) => {
    const results: Record<string, tf.Tensor> = {};
    for (const kernel of cases) {
      const inputs = Object.fromEntries(
        Object.keys(kernel.inputs).map((name) => [name, all[`${kernel.name}/${name}`]!]),
      );
      for (const [output, tensor] of Object.entries(named(kernel.fn(inputs)))) {
        results[`${kernel.name}/${output}`] = tensor;
      }
    }
    return results;
  };
}

const named = (result: tf.Tensor | Record<string, tf.Tensor>): Record<string, tf.Tensor> =>
  result instanceof tf.Tensor ? { y: result } : result;

function drawInputs({ name, inputs }: KernelCase, batch: number): Feeds {
  return Object.fromEntries(
    Object.entries(inputs).map(([input, { shape, dtype, draw }]) => {
      const random = stream(1, name, input, batch);
      const sizes = shape.map((size) => (size === "batch" ? batch : size));
      const numbers = Array.from({ length: elementCount(sizes) }, () => draw(random));
      const TypedArray = dtype === "float32" ? Float32Array : dtype === "int32" ? Int32Array : Uint8Array;
      return [`${name}/${input}`, { dtype, shape: sizes, data: TypedArray.from(numbers) }];
    }),
  );
}

function runEagerly(fn: TensorFunction, feeds: Feeds): Record<string, HostTensor> {
  void tf.setBackend("cpu");
  return tf.tidy(() => {
    const tensors = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toTfjs(tensor)]));
    const results = Object.entries(fn(tensors)).map(([name, tensor]) => [
      name,
      { dtype: tensor.dtype, shape: tensor.shape, data: tensor.dataSync().slice() as TensorData },
    ]);
    return Object.fromEntries(results) as tf.TensorContainer;
  }) as unknown as Record<string, HostTensor>;
}

function toTfjs({ dtype, shape, data }: Omit<HostTensor, "data"> & { data: ArrayLike<number | bigint> }): tf.Tensor {
  return tf.tensor(data as Float32Array, [...shape], dtype === "uint8" ? "int32" : (dtype as "float32"));
}

function difference(want: HostTensor, got: HostTensor | undefined, tolerance: number): string | undefined {
  if (got === undefined) return "is missing";
  if (got.dtype !== want.dtype) return `must have dtype ${want.dtype}, got ${got.dtype}`;
  if (got.shape.join() !== want.shape.join()) return `must have shape [${want.shape}], got [${got.shape}]`;
  const finite = Array.from(want.data as Float32Array, Math.abs).filter(Number.isFinite);
  const scale = finite.reduce((a, b) => Math.max(a, b), 0) || 1;
  for (let i = 0; i < want.data.length; i++) {
    const [a, b] = [Number(want.data[i]), Number(got.data[i])];
    const allowed = want.dtype === "float32" ? tolerance * scale : 0;
    if (Object.is(a, b) || Math.abs(a - b) <= allowed) continue;
    return `must be ${a} at index ${i}, got ${b} (allowed ${allowed})`;
  }
  return undefined;
}

// ---- gradients -------------------------------------------------------------------------------------------------------

const weightPrefix = "weights of ";

/** Sum of outputs times weights, a scalar. */
function loss(fn: KernelCase["fn"], inputs: Record<string, tf.Tensor>): tf.Scalar {
  const products = Object.entries(named(fn(inputs))).map(([output, tensor]) =>
    tf.sum(tf.mul(tensor, inputs[weightPrefix + output]!)),
  );
  return products.reduce((a, b) => tf.add(a, b)) as tf.Scalar;
}

const differentiated = ({ by, inputs }: KernelCase): readonly string[] =>
  by ?? Object.keys(inputs).filter((name) => inputs[name]!.dtype === "float32");

/** The case whose function returns the gradients. The weights are inputs, so that nothing about them is folded. */
function gradientCase(kernel: KernelCase): Checked {
  const gradient =
    (fn: KernelCase["fn"]): KernelCase["fn"] =>
    (inputs) => {
      const names = differentiated(kernel);
      const gradients = tf.grads((...tensors: tf.Tensor[]) =>
        loss(fn, { ...inputs, ...Object.fromEntries(names.map((name, i) => [name, tensors[i]!])) }),
      )(names.map((name) => inputs[name]!));
      return Object.fromEntries(names.map((name, i) => [`gradient of ${name}`, gradients[i]!]));
    };
  return {
    ...kernel,
    fn: gradient(kernel.fn),
    ...(kernel.traced === undefined ? {} : { traced: gradient(kernel.traced) }),
    ...(kernel.tfjsGradientIsWrong === undefined ? {} : { truth: (feeds) => differenceGradients(kernel, feeds) }),
    inputs: { ...kernel.inputs, ...weightsOf(kernel) },
  };
}

/** One weight per output element. A size that differs between two batches is the batch. */
function weightsOf(kernel: KernelCase): Record<string, Input> {
  const [a, b] = [7, 11].map((batch) => runEagerly(joined([kernel]), drawInputs(kernel, batch)));
  return Object.fromEntries(
    Object.entries(a!).map(([output, { shape }]) => {
      const other = b![output]!.shape;
      const sizes = shape.map((size, axis) => (size === other[axis] ? size : "batch"));
      return [weightPrefix + output.slice(kernel.name.length + 1), floats(sizes)];
    }),
  );
}

// ---- finite differences, in float64 ----------------------------------------------------------------------------------

const samples = 6;

/** Truncation is of order step^2 = 1e-10, rounding 1e-16 / step = 1e-11. */
const step = 1e-5;

/**
 * tfjs's gradients in float64 against difference quotients at a sample of coordinates: 1e-6 of the gradient's scale
 * leaves room for neither a wrong term nor a wrong sign.
 */
function differenceFaults(kernel: KernelCase, options: CheckOptions): string[] {
  const [batch] = batchesOf([kernel], options);
  const { inputs, fn } = gradientCase(kernel);
  const values = doubles(kernel, drawInputs({ ...kernel, inputs }, batch!));
  const random = stream(2, kernel.name);
  return inFloat64(() => {
    const gradients = named(fn(tensorsOf(values)));
    const faults: string[] = [];
    for (const name of differentiated(kernel)) {
      const gradient = gradients[`gradient of ${name}`]!.dataSync() as ArrayLike<number>;
      const scale = Array.from(gradient, Math.abs).reduce((a, b) => Math.max(a, b), 0) || 1;
      for (let n = 0; n < samples; n++) {
        const i = random.integer(gradient.length);
        const quotient = quotientAt(kernel, values, name, i);
        if (Math.abs(quotient - gradient[i]!) <= 1e-6 * scale) continue;
        faults.push(
          `${kernel.name}/gradient of ${name} at index ${i}: difference quotient ${quotient}, got ${gradient[i]}`,
        );
      }
    }
    return faults;
  });
}

function differenceGradients(kernel: KernelCase, feeds: Feeds): Record<string, HostTensor> {
  const values = doubles(kernel, feeds);
  const quotients = inFloat64(() =>
    differentiated(kernel).map((name) => values[name]!.data.map((_, i) => quotientAt(kernel, values, name, i))),
  );
  return Object.fromEntries(
    differentiated(kernel).map((name, n) => [
      `${kernel.name}/gradient of ${name}`,
      { dtype: "float32", shape: values[name]!.shape, data: Float32Array.from(quotients[n]!) },
    ]),
  );
}

type Doubles = Readonly<Record<string, Omit<HostTensor, "data"> & { readonly data: Float64Array }>>;

/** The feeds of one case, by its own names. */
function doubles({ name }: KernelCase, feeds: Feeds): Doubles {
  const own = Object.entries(feeds).filter(([input]) => input.startsWith(`${name}/`));
  return Object.fromEntries(
    own.map(([input, tensor]) => [
      input.slice(name.length + 1),
      { ...tensor, data: Float64Array.from(tensor.data as ArrayLike<number>) },
    ]),
  );
}

function tensorsOf(values: Doubles): Record<string, tf.Tensor> {
  return Object.fromEntries(
    Object.entries(values).map(([name, tensor]) => [name, toTfjs({ ...tensor, data: [...tensor.data] })]),
  );
}

/** Central difference quotient of the loss at element `i` of the input `name`. */
function quotientAt(kernel: KernelCase, values: Doubles, name: string, i: number): number {
  const { data } = values[name]!;
  const kept = data[i]!;
  const [above, below] = [step, -step].map((h) => {
    data[i] = kept + h;
    return tf.tidy(() => loss(kernel.fn, tensorsOf(values)).dataSync()[0]!);
  });
  data[i] = kept;
  return (above! - below!) / (2 * step);
}
