import path from "node:path";
import { replaceFile } from "../files/replace-folder.ts";
import { FailureError, UsageError } from "../schemas/errors.ts";
import { elementCount } from "../schemas/tensor.ts";
import { checkModel } from "./check.ts";
import { batchRule, isBatch } from "./convert-options.ts";
import { opset as writtenOpset } from "./finish.ts";
import { requireFiniteWeights } from "./finite-weights.ts";
import type { Graph } from "./graph.ts";
import { nameOrFresh } from "./names.ts";
import { writeOnnx } from "./onnx-writer.ts";
import { requireOwnFile } from "./own-file.ts";
import { checkParity, type ParityCase } from "./parity.ts";
import type { ParityInput } from "./parity-inputs.ts";
import type { SavedInput, SavedModel } from "./saved-function.ts";
import { conversionFailure, openSavedModel } from "./saved-model.ts";
import { trace } from "./trace.ts";
import type { TraceInput } from "./traced-function.ts";

export interface ConvertOptions {
  /** `model.json` of a saved tfjs layers or graph model. */
  readonly model: string;
  /** The ONNX file to write; without it nothing is written. */
  readonly out?: string;
  /** Of the graph; default: the name of `out`, or of the folder of `model`. */
  readonly name?: string;
  /** Size of the first axis where the model leaves it open; default: any. */
  readonly batch?: "dynamic" | number;
  /** The compiler writes opset 17. */
  readonly opset?: number;
  /** Of the inputs on which parity is checked; default: 1. */
  readonly seed?: number;
  /** As of `checkParity`. */
  readonly tolerance?: number;
}

export interface Converted {
  readonly format: SavedModel["format"];
  readonly graph: Graph;
  /** What each output of the graph is in the model. */
  readonly outputs: SavedModel["outputs"];
  readonly bytes: Uint8Array;
  readonly parity: readonly ParityCase[];
}

/**
 * Converts a model that tfjs saved to ONNX: traced as it infers, checked against the ONNX rules and compared with tfjs
 * itself and the WASM runtime. `out` is replaced as a whole, or left as it was.
 *
 * @throws UsageError if `model` is no saved tfjs model, `out` is a file of it, or an option cannot be used
 * @throws FailureError if a shard is missing, a weight is no finite number, an operation has no ONNX form, or the result
 *   differs from tfjs
 */
export async function convert(options: ConvertOptions): Promise<Converted> {
  const { model: file, out, batch = "dynamic", opset = writtenOpset, seed = 1, tolerance } = options;
  if (opset !== writtenOpset) {
    throw new UsageError(`Cannot convert "${file}": opset must be ${writtenOpset}, got ${opset}`);
  }
  if (!isBatch(batch)) throw new UsageError(`Cannot convert "${file}": batch must be ${batchRule}, got ${batch}`);
  const model = await openSavedModel(file);
  try {
    if (out !== undefined) await requireOwnFile(out, model.files, file);
    requireFiniteWeights(file, model);
    const inputs = Object.fromEntries(model.inputs.map((input) => [input.name, traceInput(file, input, batch)]));
    const graph = traced(file, model, { name: options.name ?? nameOf(options), inputs });
    const bytes = writeOnnx(graph);
    checkModel(bytes);
    const limits = indexLimits(graph);
    const parityInputs: Record<string, ParityInput> = {};
    for (const [name, input] of Object.entries(inputs)) {
      const below = limits.get(name);
      // A float input that is cast to indices is fed whole numbers, as its rows of a table.
      parityInputs[name] = below === undefined ? input : { ...input, below };
    }
    const parity = await checkParity({ name: file, fn: model.fn, model: bytes, inputs: parityInputs, seed, tolerance });
    if (out !== undefined) await replaceFile(out, bytes);
    return { format: model.format, graph, outputs: model.outputs, bytes, parity };
  } finally {
    model.dispose();
  }
}

function nameOf({ out, model }: ConvertOptions): string {
  if (out !== undefined) return path.basename(out).replace(/\.onnx$/, "");
  return path.basename(path.dirname(path.resolve(model)));
}

/** A gibibyte of the doubles in which it is drawn. */
const largestInput = 2 ** 27;

function traceInput(file: string, { name, dtype, shape }: SavedInput, batch: "dynamic" | number): TraceInput {
  if (dtype !== "float32" && dtype !== "int32" && dtype !== "bool") {
    throw new UsageError(`Cannot convert "${file}": input "${name}" must be float32, int32 or bool, got ${dtype}`);
  }
  const open = shape.findIndex((size, axis) => size < 0 && axis > 0);
  if (open > 0) {
    throw new UsageError(
      `Cannot convert "${file}": input "${name}" must have fixed sizes but for its first axis, got [${shape.map((size) => (size < 0 ? "?" : size)).join(", ")}]; save the model with a fixed size of axis ${open}`,
    );
  }
  const first = batch === "dynamic" ? ("batch" as const) : batch;
  const sizes = shape.map((size) => (size < 0 ? first : size));
  const numbers = elementCount(sizes.filter((size) => size !== "batch"));
  if (numbers > largestInput) {
    throw new UsageError(
      `Cannot convert "${file}": input "${name}" must hold at most ${largestInput} numbers to be compared with tfjs, got ${numbers} ([${sizes.join(", ")}]); choose a smaller batch`,
    );
  }
  return { dtype, shape: sizes };
}

function traced(
  file: string,
  model: SavedModel,
  { name, inputs }: { name: string; inputs: Readonly<Record<string, TraceInput>> },
): Graph {
  const metadata = { source: `tfjs ${model.format}`, producer: "cominfo convert" };
  try {
    return renamed(trace(model.fn, { name, inputs, variables: "frozen", metadata }), model.weightNames);
  } catch (error) {
    if (error instanceof UsageError || error instanceof FailureError) throw error;
    throw conversionFailure(file, error);
  }
}

/** Initializers by the names under which they were saved, so that the same model gives the same bytes. */
function renamed(graph: Graph, names: ReadonlyMap<string, string>): Graph {
  const taken = new Set([...graph.inputs, ...graph.nodes.flatMap((node) => node.outputs)].map(({ name }) => name));
  const renamedAll = new Map(
    [...graph.initializers.keys()].map((name) => [name, nameOrFresh(taken, names.get(name) ?? name)]),
  );
  const rename = (name: string): string => renamedAll.get(name) ?? name;
  return {
    ...graph,
    initializers: new Map([...graph.initializers].map(([name, contents]) => [rename(name), contents])),
    nodes: graph.nodes.map((node) => ({ ...node, inputs: node.inputs.map(rename) })),
  };
}

/** Operators that an index goes through on its way from an input to the table it chooses from. */
const carriers = new Set([
  "Cast",
  "Identity",
  "Reshape",
  "Squeeze",
  "Unsqueeze",
  "Transpose",
  "Concat",
  "Slice",
  "Split",
  "Clip",
]);

/** Inputs that are used as indices, with the number of rows they choose from. */
function indexLimits(graph: Graph): ReadonlyMap<string, number> {
  const origins = new Map(graph.inputs.map(({ name }) => [name, name]));
  const limits = new Map<string, number>();
  for (const { op, inputs, outputs, attributes } of graph.nodes) {
    if (carriers.has(op)) {
      const origin = inputs.map((name) => origins.get(name)).find((name) => name !== undefined);
      if (origin !== undefined) for (const { name } of outputs) origins.set(name, origin);
    }
    const origin = origins.get(inputs[1] ?? "");
    const table = graph.initializers.get(inputs[0] ?? "");
    if (op !== "Gather" || origin === undefined || table === undefined) continue;
    const axis = attributes.axis?.kind === "int" ? attributes.axis.value : 0;
    limits.set(origin, Math.min(limits.get(origin) ?? Number.POSITIVE_INFINITY, table.shape.at(axis)!));
  }
  return limits;
}
