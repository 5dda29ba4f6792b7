import type { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu/dist/backend_cpu.js";
import * as tf from "@tensorflow/tfjs-core";
import { fromKnown, fromSplat, type Traced } from "./traced.ts";

/** Makers of constants: their result may be large, and is recorded (or kept as one number) instead of computed. */
const makers = new Set(["Fill", "ZerosLike", "OnesLike", "BroadcastTo"]);

/** Kernels whose result is drawn: computing them while tracing would freeze one draw into the graph. */
export const randomKernels: ReadonlySet<string> = new Set([
  "Multinomial",
  "RandomUniform",
  "RandomNormal",
  "RandomStandardNormal",
  "TruncatedNormal",
  "Dropout",
]);

/** Kernels that work element by element: of uniform tensors they make a uniform tensor. */
const elementwise = new Set([
  ...["Add", "Sub", "Multiply", "RealDiv", "FloorDiv", "Mod", "Pow", "Maximum", "Minimum", "SquaredDifference"],
  ...["Equal", "NotEqual", "Greater", "GreaterEqual", "Less", "LessEqual", "LogicalAnd", "LogicalOr", "LogicalNot"],
  ...["Neg", "Abs", "Sign", "Exp", "Log", "Log1p", "Sqrt", "Rsqrt", "Square", "Reciprocal", "Sigmoid", "Tanh"],
  ...["Relu", "Softplus", "Step", "Cast", "ClipByValue"],
]);

/**
 * Computes a kernel whose inputs are all known, with tfjs's own cpu kernel.
 *
 * @param isList the kernel takes a list of tensors (Concat, Pack, AddN), which tfjs hands over as an array
 * @returns undefined if an input is symbolic, or the kernel only repeats what it is given
 */
export function foldOnCpu(
  kernel: string,
  traced: Readonly<Record<string, Traced>>,
  attrs: tf.NamedAttrMap | undefined,
  isList: boolean,
): Traced | readonly Traced[] | undefined {
  const inputs = Object.values(traced);
  if (makers.has(kernel) || randomKernels.has(kernel) || inputs.length === 0) return undefined;
  if (tf.getKernel(kernel, "cpu") === undefined) return undefined;
  if (inputs.every((symbol) => symbol.known !== undefined)) return runOnCpu(kernel, traced, attrs ?? {}, isList);
  const isUniform = (symbol: Traced): boolean => symbol.splat !== undefined || symbol.known?.data.length === 1;
  if (!elementwise.has(kernel) || !inputs.every(isUniform)) return undefined;
  const shape = inputs
    .map((symbol) => [...symbol.shape])
    .reduce((a, b) => tf.backend_util.assertAndGetBroadcastShape(a, b));
  const elements = Object.fromEntries(Object.entries(traced).map(([name, symbol]) => [name, elementOf(symbol)]));
  const element = runOnCpu(kernel, elements, attrs ?? {}) as Traced;
  return fromSplat(element.dtype, shape, Number(element.known!.data[0]));
}

/** The one number of a uniform tensor, as a scalar. */
function elementOf(symbol: Traced): Traced {
  return fromKnown(symbol.dtype, [], [symbol.splat ?? Number(symbol.known!.data[0])]);
}

/** The results of tfjs's cpu kernel on known inputs. */
export function runOnCpu(
  kernel: string,
  inputs: Readonly<Record<string, Traced>>,
  attrs: tf.NamedAttrMap,
  isList = false,
): Traced | readonly Traced[] {
  const cpu = tf.engine().findBackend("cpu") as MathBackendCPU;
  const taken: tf.TensorInfo[] = [];
  const infos: Record<string, tf.TensorInfo> | tf.TensorInfo[] = isList ? [] : {};
  for (const [name, symbol] of Object.entries(inputs)) {
    const info = cpu.makeTensorInfo([...symbol.shape], symbol.dtype, symbol.known!.data as tf.backend_util.TypedArray);
    taken.push(info);
    (infos as Record<string, tf.TensorInfo>)[name] = info;
  }
  const { kernelFunc } = tf.getKernel(kernel, "cpu")!;
  const result = kernelFunc({ inputs: infos as tf.NamedTensorInfoMap, backend: cpu, attrs });
  const outputs = Array.isArray(result) ? result : [result];
  const folded = outputs.map((info) =>
    fromKnown(info.dtype, info.shape, Array.from(cpu.data.get(info.dataId).values as ArrayLike<number>)),
  );
  for (const info of [...outputs, ...taken]) cpu.disposeIntermediateTensorInfo(info);
  return Array.isArray(result) ? folded : folded[0]!;
}
