import * as tf from "@tensorflow/tfjs-core";
import type { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu/dist/backend_cpu.js";
import { fromKnown, type Traced } from "./traced.ts";

/** Makers of constants: their result may be large, and is recorded (or kept as one number) instead of computed. */
const makers = new Set(["Fill", "ZerosLike", "OnesLike", "BroadcastTo"]);

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
): Traced | Traced[] | undefined {
  const inputs = Object.entries(traced);
  if (makers.has(kernel) || inputs.some(([, symbol]) => symbol.known === undefined)) return undefined;
  if (inputs.length === 0 && !["Range", "LinSpace"].includes(kernel)) return undefined;
  const config = tf.getKernel(kernel, "cpu");
  const cpu = tf.engine().findBackend("cpu") as MathBackendCPU | null;
  if (config === undefined || cpu === null) return undefined;

  const taken: tf.TensorInfo[] = [];
  const infos: Record<string, tf.TensorInfo> | tf.TensorInfo[] = isList ? [] : {};
  for (const [name, symbol] of inputs) {
    const info = cpu.makeTensorInfo([...symbol.shape], symbol.dtype, symbol.known!.data as tf.backend_util.TypedArray);
    taken.push(info);
    (infos as Record<string, tf.TensorInfo>)[name] = info;
  }
  const result = config.kernelFunc({
    inputs: infos as tf.NamedTensorInfoMap,
    backend: cpu,
    attrs: attrs as tf.NamedAttrMap,
  });
  const outputs = Array.isArray(result) ? result : [result];
  const folded = outputs.map((info) =>
    fromKnown(info.dtype, info.shape, Array.from(cpu.data.get(info.dataId).values as ArrayLike<number>)),
  );
  for (const info of [...outputs, ...taken]) cpu.disposeIntermediateTensorInfo(info);
  return Array.isArray(result) ? folded : folded[0];
}
