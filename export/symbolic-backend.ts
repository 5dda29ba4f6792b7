import * as tf from "@tensorflow/tfjs-core";
import "./tfjs-setup.ts";
import { elementCount } from "../schemas/tensor.ts";
import { GraphBuilder, toTypedArray } from "./builder.ts";
import { foldOnCpu } from "./fold.ts";
import type { KernelInputs, Lowering } from "./lowering.ts";
import { activeScopes } from "./scopes.ts";
import { fromKnown, fromPlain, fromSplat, onnxDtype, plain, type Traced } from "./traced.ts";

/**
 * A tfjs backend whose kernels record ONNX nodes instead of computing. Tensors that live on another backend are pulled
 * in by tfjs's own engine (`moveData`) and become constants; reading a symbolic value back is an error.
 */

export const symbolicBackend = "cominfo-symbolic";

interface Entry {
  symbol: Traced;
  /** Where the symbol's values are recorded. */
  graph: GraphBuilder | undefined;
  references: number;
  /** Kernel or role that made the tensor: what an error names. */
  origin: string;
}

/** tfjs operations that draw on the host: a trace would freeze one draw into the file. */
const randomScopes = /^(rand(om\w*)?|truncatedNormal|multinomial|dropout|stochastic\w*)$/i;

export class SymbolicBackend extends tf.KernelBackend {
  readonly #data: tf.DataStorage<Entry>;
  #graph: GraphBuilder | undefined;
  #nextId = 0;

  constructor() {
    super();
    this.#data = new tf.DataStorage(this, tf.engine());
  }

  /** Starts a fresh graph; the returned builder receives everything that kernels record until `end`. */
  begin(): GraphBuilder {
    if (this.#graph !== undefined) throw new Error("Cannot start a trace inside another trace");
    this.#graph = new GraphBuilder();
    return this.#graph;
  }

  end(): void {
    this.#graph = undefined;
  }

  /** A tfjs tensor that stands for `symbol`. */
  tensorOf(symbol: Traced, origin: string): tf.Tensor {
    return tf.engine().makeTensorFromTensorInfo(this.#store(symbol, origin), this);
  }

  tracedOf(info: tf.TensorInfo): Traced {
    const symbol = this.#inThisGraph(this.#data.get(info.dataId));
    if (symbol.shape.length === info.shape.length && symbol.shape.every((size, i) => size === info.shape[i]))
      return symbol;
    // tfjs lets two tensors of different shape share data (Tensor.reshape outside of the trace).
    if (symbol.known !== undefined) return fromKnown(symbol.dtype, info.shape, numbers(symbol.known.data));
    if (symbol.splat !== undefined) return fromSplat(symbol.dtype, info.shape, symbol.splat);
    return fromPlain(this.#need().reshape(plain(this.#need(), symbol), info.shape), symbol.dtype);
  }

  /** A tensor from outside of the function stays on this backend after its first trace; the next graph has none of its values. */
  #inThisGraph(entry: Entry): Traced {
    if (entry.graph === this.#graph) return entry.symbol;
    const { known, splat } = entry.symbol;
    if (known === undefined && splat === undefined) {
      throw new Error(
        `Cannot use a tensor of an earlier trace (result of ${entry.origin}): it has no value until its graph runs`,
      );
    }
    entry.graph = this.#graph;
    entry.symbol = { ...entry.symbol, forms: {}, home: "plain" };
    return entry.symbol;
  }

  /** Runs the lowering of a kernel and hands its results to tfjs. */
  record(
    kernel: string,
    lowering: Lowering<never>,
    inputs: tf.NamedTensorInfoMap,
    attrs: tf.NamedAttrMap | undefined,
  ): tf.TensorInfo | tf.TensorInfo[] {
    const graph = this.#need();
    const traced: Record<string, Traced> = {};
    for (const [name, info] of Object.entries(inputs)) {
      if (info !== undefined && info !== null) traced[name] = this.tracedOf(info);
    }
    const outer = graph.source;
    graph.source = kernel;
    try {
      const folded = foldOnCpu(kernel, traced, attrs, Array.isArray(inputs));
      const result = folded ?? (lowering as Lowering<unknown>)(graph, traced as KernelInputs, attrs ?? {});
      return Array.isArray(result)
        ? result.map((symbol: Traced) => this.#store(symbol, kernel))
        : this.#store(result as Traced, kernel);
    } finally {
      graph.source = outer;
    }
  }

  #store(symbol: Traced, origin: string): tf.TensorInfo {
    const dataId = { id: this.#nextId++ };
    // A tensor without elements is known, and folds: few runtimes agree on operators over nothing.
    const isEmpty = elementCount(symbol.shape) === 0 && symbol.known === undefined;
    const kept = isEmpty ? fromKnown(symbol.dtype, symbol.shape, []) : symbol;
    this.#data.set(dataId, { symbol: kept, graph: this.#graph, references: 1, origin });
    return { dataId, shape: [...symbol.shape], dtype: symbol.dtype };
  }

  #need(): GraphBuilder {
    if (this.#graph === undefined) {
      throw new Error(
        "Cannot run tfjs operations on the symbolic backend outside of trace(): call tf.setBackend first",
      );
    }
    return this.#graph;
  }

  // ---- what tfjs's engine asks of a backend ----------------------------------------------------------------------

  override write(values: tf.BackendValues, shape: number[], dtype: tf.DataType): tf.DataId {
    const random = activeScopes().find((name) => randomScopes.test(name));
    if (random !== undefined && this.#graph !== undefined) {
      throw new Error(
        `Cannot trace tf.${random}: a random draw would be frozen into the graph. Draw on the host and pass the noise as an input of the traced function`,
      );
    }
    return this.#store(fromKnown(dtype, shape, values as ArrayLike<number>), "constant").dataId as tf.DataId;
  }

  override move(
    dataId: tf.DataId,
    values: tf.BackendValues,
    shape: number[],
    dtype: tf.DataType,
    references: number,
  ): void {
    this.#data.set(dataId, {
      symbol: fromKnown(dtype, shape, values as ArrayLike<number>),
      graph: this.#graph,
      references,
      origin: "constant",
    });
  }

  override readSync(dataId: tf.DataId): tf.BackendValues {
    const { symbol, origin } = this.#data.get(dataId);
    if (symbol.known === undefined && symbol.splat !== undefined) {
      return toTypedArray(
        onnxDtype(symbol.dtype),
        new Float64Array(elementCount(symbol.shape)).fill(symbol.splat),
      ) as tf.BackendValues;
    }
    if (symbol.known === undefined) {
      throw new Error(
        `Cannot read the value of a traced tensor (result of ${origin}): it has no value until the graph runs. Return it from the traced function, or use tf.where instead of a branch on its value`,
      );
    }
    return symbol.known.data as tf.BackendValues;
  }

  override read(dataId: object): Promise<tf.BackendValues> {
    return new Promise((resolve) => resolve(this.readSync(dataId as tf.DataId)));
  }

  override disposeData(dataId: tf.DataId, force = false): boolean {
    if (!this.#data.has(dataId)) return true;
    const entry = this.#data.get(dataId);
    entry.references--;
    if (!force && entry.references > 0) return false;
    this.#data.delete(dataId);
    return true;
  }

  override incRef(dataId: tf.DataId): void {
    this.#data.get(dataId).references++;
  }

  decRef(dataId: tf.DataId): void {
    if (this.#data.has(dataId)) this.#data.get(dataId).references--;
  }

  override refCount(dataId: tf.DataId): number {
    return this.#data.has(dataId) ? this.#data.get(dataId).references : 0;
  }

  override numDataIds(): number {
    return this.#data.numDataIds();
  }

  override memory(): { unreliable: boolean } {
    return { unreliable: true };
  }

  override floatPrecision(): 16 | 32 {
    return 32;
  }

  override epsilon(): number {
    return 1e-7;
  }

  override timerAvailable(): boolean {
    return false;
  }

  override dispose(): void {}
}

function numbers(data: ArrayLike<number | bigint>): number[] {
  return Array.from(data, Number);
}
