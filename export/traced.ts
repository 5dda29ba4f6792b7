import type { DataType } from "@tensorflow/tfjs-core";
import { type Dtype, elementCount, type HostTensor } from "../schemas/tensor.ts";
import { type GraphBuilder, toTypedArray, type Value } from "./builder.ts";

/**
 * What a tfjs tensor is while it is traced: one logical tensor (tfjs shape, tfjs layout) and the graph values that
 * hold it so far. A convolution leaves its result as NCHW; the NHWC form is recorded only if a kernel asks for it.
 */
export interface Traced {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  /** Contents, where they are known while tracing: folded, never recorded unless a node needs them. */
  readonly known?: HostTensor;
  /** All elements equal this number, and there is more than one of them. Recorded as a scalar where that is enough. */
  readonly splat?: number;
  /** Values by layout. `raw` is a uint8 graph input that tfjs sees as int32. */
  readonly forms: { plain?: Value; nchw?: Value; raw?: Value };
  /** Layout in which the tensor was produced: elementwise kernels stay in it. */
  readonly home: "plain" | "nchw";
}

const toNchw = [0, 3, 1, 2];
const toNhwc = [0, 2, 3, 1];

export function onnxDtype(dtype: DataType): Dtype {
  if (dtype === "float32" || dtype === "int32" || dtype === "bool") return dtype;
  throw new TypeError(`Cannot trace a tensor of dtype ${dtype}: ONNX export knows float32, int32 and bool`);
}

export function fromPlain(value: Value, dtype: DataType = value.dtype as DataType): Traced {
  return { dtype, shape: value.shape, forms: { plain: value }, home: "plain" };
}

/** @param value [batch, channels, height, width]; the symbol's shape is [batch, height, width, channels] */
export function fromNchw(value: Value, dtype: DataType = value.dtype as DataType): Traced {
  return { dtype, shape: toNhwc.map((axis) => value.shape[axis]!), forms: { nchw: value }, home: "nchw" };
}

export function fromRaw(value: Value): Traced {
  return { dtype: "int32", shape: value.shape, forms: { raw: value }, home: "plain" };
}

export function fromKnown(dtype: DataType, shape: readonly number[], values: ArrayLike<number>): Traced {
  const type = onnxDtype(dtype);
  const base = { dtype, shape, forms: {}, home: "plain" } as const;
  const splat = uniformValue(values);
  if (splat !== undefined && values.length > 4096) return { ...base, splat };
  const known = { dtype: type, shape: [...shape], data: toTypedArray(type, values) };
  return splat === undefined ? { ...base, known } : { ...base, known, splat };
}

/** A tensor of equal elements. Small ones also carry their contents, so that they fold. */
export function fromSplat(dtype: DataType, shape: readonly number[], value: number): Traced {
  const size = elementCount(shape);
  if (size <= 4096) return fromKnown(dtype, shape, new Float64Array(size).fill(value));
  return { dtype, shape, splat: value, forms: {}, home: "plain" };
}

function uniformValue(values: ArrayLike<number>): number | undefined {
  if (values.length < 2) return undefined;
  const first = values[0]!;
  for (let i = 1; i < values.length; i++) if (!Object.is(values[i], first)) return undefined;
  return first;
}

/** The value in tfjs's own layout. */
export function plain(graph: GraphBuilder, symbol: Traced): Value {
  const { forms } = symbol;
  if (forms.plain !== undefined) return forms.plain;
  if (forms.nchw !== undefined) forms.plain = graph.transpose(forms.nchw, toNhwc);
  else if (forms.raw !== undefined) forms.plain = graph.cast(forms.raw, onnxDtype(symbol.dtype));
  else if (symbol.splat !== undefined) forms.plain = splatValue(graph, symbol, symbol.splat, symbol.shape);
  else if (symbol.known !== undefined) forms.plain = graph.constant(symbol.known);
  else throw new Error("Cannot record a symbol without contents");
  return forms.plain;
}

/** The value as [batch, channels, height, width] of a symbol of shape [batch, height, width, channels]. */
export function nchw(graph: GraphBuilder, symbol: Traced): Value {
  const { forms } = symbol;
  if (symbol.shape.length !== 4) throw new Error(`Cannot take NCHW of a tensor of rank ${symbol.shape.length}`);
  if (forms.nchw === undefined) {
    forms.nchw =
      symbol.splat !== undefined
        ? splatValue(
            graph,
            symbol,
            symbol.splat,
            toNchw.map((axis) => symbol.shape[axis]!),
          )
        : graph.transpose(plain(graph, symbol), toNchw);
  }
  return forms.nchw;
}

/** A uniform tensor is spread at run time from one number, which also lets its size, and the number, follow the batch. */
function splatValue(graph: GraphBuilder, symbol: Traced, splat: number, shape: readonly number[]): Value {
  const dtype = onnxDtype(symbol.dtype);
  if (elementCount(shape) === 0) return graph.constant({ dtype, shape, data: toTypedArray(dtype, []) });
  return graph.node("Expand", [graph.scalar(splat, dtype), graph.int64s(shape)], { dtype, shape });
}
