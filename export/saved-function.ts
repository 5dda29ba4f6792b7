import type { GraphModel } from "@tensorflow/tfjs-converter";
import type * as tf from "@tensorflow/tfjs-core";
import type { LayersModel } from "@tensorflow/tfjs-layers";
import { FailureError } from "../schemas/errors.ts";
import { nameOrFresh } from "./names.ts";
import type { TensorFunction } from "./traced-function.ts";

/** A loaded tfjs model as a function of named tensors, which is what can be traced. */

export interface SavedInput {
  readonly name: string;
  readonly dtype: string;
  /** -1 where the model leaves the size open. */
  readonly shape: readonly number[];
}

export interface SavedOutput {
  readonly name: string;
  /** What makes it, in the words of the model: layers and nodes may have several outputs, which share their name. */
  readonly source: string;
  /** The name is that of the source, which makes no other output. */
  readonly isPlain: boolean;
}

export interface SavedModel {
  readonly format: "layers model" | "graph model";
  readonly inputs: readonly SavedInput[];
  /** In the order of the model. */
  readonly outputs: readonly SavedOutput[];
  /** By the names under which they were saved. */
  readonly weights: readonly { readonly name: string; readonly tensor: tf.Tensor }[];
  /** Names under which weights were saved, by those that they have in this process, which count up with every model. */
  readonly weightNames: ReadonlyMap<string, string>;
  /** Inference: dropout is off, batch normalisation uses its moving averages. */
  readonly fn: TensorFunction;
  dispose(): void;
}

/** @throws FailureError if a layer keeps its state from call to call, or looks at the values of its input */
export function layersModel(file: string, model: LayersModel): SavedModel {
  refuseLayers(file, model);
  const inputs = model.inputs.map(({ sourceLayer, dtype, shape }) => ({
    name: sourceLayer.name, // the tensor's own name counts up with every model of the process
    dtype: dtype as string,
    shape: shape.map((size) => size ?? -1),
  }));
  // A layer that is used twice, and one with several results, is there once for each.
  const sources = model.outputs.map(({ sourceLayer: { name } }) => ({ name, source: `layer "${name}"` }));
  const outputs = namedOutputs(sources, inputs);
  return {
    format: "layers model",
    inputs,
    outputs,
    weights: model.weights.map((weight) => ({ name: weight.originalName, tensor: weight.read() })),
    weightNames: new Map(model.weights.map(({ name, originalName }) => [name, originalName])),
    fn(tensors) {
      // `predict` would loop over slices of 32 rows.
      const results = model.apply(
        inputs.map(({ name }) => tensors[name]!),
        { training: false },
      ) as tf.Tensor | tf.Tensor[];
      return resultsByName(results, outputs);
    },
    dispose: () => void model.dispose(),
  };
}

type Layer = LayersModel["layers"][number];

/** What a file cannot do, which computes the same from the same inputs, and has no values before it runs. */
function refuseLayers(file: string, model: LayersModel): void {
  for (const layer of innerLayers(model)) {
    const refuse = (wanted: string): FailureError =>
      new FailureError(`Cannot convert "${file}": layer "${layer.name}" must ${wanted}`, { code: "unsupported" });
    if (layer.stateful) {
      throw refuse(
        "not keep its state from call to call, got stateful: true; save the model with stateful: false, its state as inputs (initialState) and outputs (returnState)",
      );
    }
    if (layer.getClassName() === "CategoryEncoding") {
      throw refuse(
        "not look at the values of its input, got a CategoryEncoding, which checks that each is a token; save the model without it, and give it the encoded input",
      );
    }
  }
}

/** Layers within models and wrappers, before those that hold them. */
function* innerLayers(layer: object): Generator<Layer> {
  const held =
    "layers" in layer ? (layer.layers as readonly object[]) : "layer" in layer ? [layer.layer as object] : [];
  for (const inner of held) yield* innerLayers(inner);
  yield layer as Layer;
}

interface Signature {
  readonly outputs?: Readonly<Record<string, { readonly name: string }>>;
}

export function graphModel(model: GraphModel): SavedModel {
  const plainName = (name: string): string => name.replace(/:0$/, "");
  const inputs = model.inputs.map(({ name, dtype, shape }) => ({
    name: plainName(name),
    dtype: dtype as string,
    shape: shape ?? [-1],
  }));
  // tfjs's own list has the nodes of the outputs: not which of its results, and one key for all keys of a tensor.
  const signed = Object.entries((model.modelSignature as Signature | undefined)?.outputs ?? {});
  const sources =
    signed.length === 0
      ? model.outputs.map(({ name }) => ({ asked: name, name: plainName(name), source: `node "${name}"` }))
      : signed.map(([key, { name }]) => ({
          asked: key,
          name: plainName(name),
          source: `"${key}" of the signature, from "${name}"`,
        }));
  const outputs = namedOutputs(sources, inputs);
  return {
    format: "graph model",
    inputs,
    outputs,
    weights: Object.entries(model.weights).flatMap(([name, tensors]) => tensors.map((tensor) => ({ name, tensor }))),
    weightNames: new Map(),
    fn(tensors) {
      const feeds = Object.fromEntries(model.inputs.map(({ name }, i) => [name, tensors[inputs[i]!.name]!]));
      const results = model.execute(
        feeds,
        sources.map(({ asked }) => asked),
      );
      return resultsByName(results, outputs);
    },
    dispose: () => model.dispose(),
  };
}

/** Names that differ from each other and from those of the inputs: an ONNX graph has one name space. */
function namedOutputs(
  sources: readonly { readonly name: string; readonly source: string }[],
  inputs: readonly SavedInput[],
): SavedOutput[] {
  const own = sources.map(({ name }) => name);
  const isInput = (name: string): boolean => inputs.some((input) => input.name === name);
  const keepsName = (name: string, i: number): boolean => !isInput(name) && own.indexOf(name) === i;
  const taken = new Set([...inputs.map(({ name }) => name), ...own.filter(keepsName)]);
  return sources.map(({ name: wanted, source }, i) => {
    if (keepsName(wanted, i)) return { name: wanted, source, isPlain: own.lastIndexOf(wanted) === i };
    const name = nameOrFresh(taken, isInput(wanted) ? `${wanted}_output` : wanted);
    return { name, source, isPlain: false };
  });
}

function resultsByName(
  results: tf.Tensor | readonly tf.Tensor[],
  outputs: readonly SavedOutput[],
): Record<string, tf.Tensor> {
  const tensors = (Array.isArray(results) ? results : [results]) as readonly (tf.Tensor | undefined)[];
  if (tensors.length !== outputs.length || tensors.includes(undefined)) {
    throw new Error(
      `Cannot name the results of the model: it must give a tensor for each of its ${outputs.length} outputs, got ${tensors.filter((tensor) => tensor !== undefined).length}`,
    );
  }
  return Object.fromEntries(outputs.map(({ name }, i) => [name, tensors[i]!]));
}
