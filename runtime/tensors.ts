import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-common";
import { FailureError, UsageError } from "../schemas/errors.ts";
import { type Dtype, elementCount, type HostTensor, type TensorData } from "../schemas/tensor.ts";
import { didYouMean } from "../schemas/nearest.ts";
import { KeptTensor } from "./kept-tensor.ts";
import type { Device, DeviceTensor, Feeds, TensorInfo } from "./session.ts";

/** Between host tensors and ONNX Runtime's; memory is shared, never copied here. */

const arrayOf = {
  float32: Float32Array,
  int32: Int32Array,
  uint8: Uint8Array,
  bool: Uint8Array,
  int64: BigInt64Array,
} as const satisfies Record<Dtype, unknown>;

function isDtype(type: string): type is Dtype {
  return type in arrayOf;
}

/** @throws FailureError for an element type that the project does not carry (float16, string, ...) */
export function describe(metadata: readonly InferenceSession.ValueMetadata[]): TensorInfo[] {
  return metadata.map((value) => {
    const type = value.isTensor ? value.type : "not a tensor";
    if (!value.isTensor || !isDtype(type)) {
      const wanted = Object.keys(arrayOf).join(", ");
      throw new FailureError(`Cannot open model: "${value.name}" must be one of ${wanted}, got ${type}`, {
        code: "bad_model",
      });
    }
    // ONNX Runtime's binding reports a scalar and an unknown rank alike: as no dimensions.
    return { name: value.name, dtype: type, shape: value.shape.length === 0 ? undefined : value.shape };
  });
}

/**
 * Checks every feed against the model before native code sees it, where a fault would have no name.
 *
 * @throws UsageError with all faults in one line; `path` leads to the first
 */
export function checkFeeds(feeds: Feeds, inputs: readonly TensorInfo[], device: Device | "wasm"): void {
  const faults: { name: string; text: string }[] = [];
  const known = inputs.map((input) => input.name);
  const sizes = new Map<string, { size: number; of: string }>();
  for (const name of Object.keys(feeds)) {
    if (known.includes(name)) continue;
    faults.push({ name, text: `unknown input "${name}"${didYouMean(name, known)}` });
  }
  for (const input of inputs) {
    const feed = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined;
    const fault = feed === undefined ? "is missing" : faultOf(feed, { input, device, sizes });
    if (fault !== undefined) faults.push({ name: input.name, text: `"${input.name}" ${fault}` });
  }
  if (faults.length > 0) {
    const text = faults.map((fault) => fault.text).join("; ");
    throw new UsageError(`Cannot run model: ${text}`, { code: "bad_inputs", path: ["inputs", faults[0]!.name] });
  }
}

interface FeedRules {
  readonly input: TensorInfo;
  readonly device: Device | "wasm";
  /** Symbolic sizes seen so far: the same symbol must have the same size in every input. */
  readonly sizes: Map<string, { size: number; of: string }>;
}

function faultOf(feed: HostTensor | DeviceTensor, { input, device, sizes }: FeedRules): string | undefined {
  if (feed.dtype !== input.dtype) return `must be ${input.dtype}, got ${feed.dtype}`;
  const fault = feed instanceof KeptTensor ? feed.faultFor(device) : dataFault(feed as HostTensor);
  if (fault !== undefined) return fault;
  if (input.shape === undefined) return undefined;
  const fits =
    feed.shape.length === input.shape.length &&
    input.shape.every((size, axis) => typeof size === "string" || size === feed.shape[axis]);
  if (!fits) return `must have shape ${show(input.shape)}, got ${show(feed.shape)}`;
  for (const [axis, symbol] of input.shape.entries()) {
    if (typeof symbol !== "string" || symbol === "") continue;
    const size = feed.shape[axis]!;
    const first = sizes.get(symbol);
    if (first === undefined) sizes.set(symbol, { size, of: input.name });
    else if (first.size !== size) return `must have ${symbol} = ${first.size} as "${first.of}" has, got ${size}`;
  }
  return undefined;
}

function dataFault({ dtype, shape, data }: HostTensor): string | undefined {
  if (!(data instanceof arrayOf[dtype])) {
    return `must hold its ${dtype} values in a ${arrayOf[dtype].name}, got ${data?.constructor.name ?? "nothing"}`;
  }
  const count = elementCount(shape);
  return data.length === count ? undefined : `must hold ${count} values for shape ${show(shape)}, got ${data.length}`;
}

/** `[n, 64, 64, 3]`; an unnamed symbolic size prints as `?`. */
function show(shape: readonly (number | string)[]): string {
  return `[${shape.map((size) => (size === "" ? "?" : size)).join(", ")}]`;
}

/** `feeds` must have passed `checkFeeds`. */
export function toOrt(feeds: Feeds, TensorClass: TensorConstructor): Record<string, Tensor> {
  const entries = Object.entries(feeds).map(([name, feed]) => {
    if (feed instanceof KeptTensor) return [name, feed.value] as const;
    const { dtype, data, shape } = feed as HostTensor;
    return [name, new TensorClass(dtype, data, shape) as Tensor] as const;
  });
  return Object.fromEntries(entries);
}

export function toHost(tensor: Tensor): HostTensor {
  return { dtype: tensor.type as Dtype, shape: tensor.dims, data: tensor.data as TensorData };
}
