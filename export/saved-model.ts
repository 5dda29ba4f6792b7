import { readFile } from "node:fs/promises";
import path from "node:path";
import { loadGraphModel } from "@tensorflow/tfjs-converter";
import * as tf from "@tensorflow/tfjs-core";
import { loadLayersModel } from "@tensorflow/tfjs-layers";
import { FailureError, UsageError } from "../schemas/errors.ts";
import { onCpu } from "./backends.ts";
import { graphModel, layersModel, type SavedModel } from "./saved-function.ts";

/** A model that tfjs saved as `model.json` and weight shards, read from disk: tfjs-node, which could, is not needed. */

export interface OpenedModel extends SavedModel {
  /** What it was read from: `model.json` and the shards. */
  readonly files: readonly string[];
}

/**
 * @param file path of `model.json`; the shards lie beside it
 * @throws UsageError if there is no such file, or it is not a saved tfjs model
 * @throws FailureError if a shard is missing or short, a layer keeps state, or tfjs cannot build the model
 */
export async function openSavedModel(file: string): Promise<OpenedModel> {
  const json = await readModelJson(file);
  const handler: tf.io.IOHandler = {
    load: () => tf.io.getModelArtifactsForJSON(json, (manifest) => readWeights(file, manifest)),
  };
  try {
    const model = await onCpu(async () =>
      isGraph(json) ? graphModel(await loadGraphModel(handler)) : layersModel(file, await loadLayersModel(handler)),
    );
    return { ...model, files: [file, ...shardsOf(json.weightsManifest).map((shard) => besides(file, shard))] };
  } catch (error) {
    if (error instanceof UsageError || error instanceof FailureError) throw error;
    throw conversionFailure(file, error);
  }
}

/** What tfjs or the compiler says, as one line. */
export function conversionFailure(file: string, error: unknown): FailureError {
  const message = error instanceof Error ? error.message : String(error);
  // What follows is advice for users of Python converters, of tfjs's issue tracker, and for who writes the function.
  const [first = message] = message.split(/\n|\. (?=File an issue|This may be due|Return it from the traced)/);
  return new FailureError(`Cannot convert "${file}": ${first.trim()}`, { code: "unsupported", cause: error });
}

async function readModelJson(file: string): Promise<tf.io.ModelJSON> {
  const refuse = (actual: string, cause?: unknown): UsageError =>
    new UsageError(
      `Cannot convert "${file}": it must be the model.json of a saved tfjs layers or graph model, got ${actual}`,
      { code: "bad_model", cause },
    );
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "EISDIR") throw refuse("a folder; name the file in it", error);
    throw refuse(code === "ENOENT" ? "nothing there" : code, error);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw refuse("a file that is not JSON", error);
  }
  if (typeof json !== "object" || json === null || !("modelTopology" in json)) {
    throw refuse('JSON without "modelTopology"');
  }
  const { modelTopology, weightsManifest } = json as Partial<tf.io.ModelJSON>;
  if (typeof modelTopology !== "object" || modelTopology === null) throw refuse('an empty "modelTopology"');
  if (!Array.isArray(weightsManifest)) throw refuse('JSON without "weightsManifest"');
  return withoutInitializers(json) as tf.io.ModelJSON;
}

/**
 * Loading draws initial weights only to replace them, and the orthogonal ones of recurrent layers need methods that
 * tfjs adds to tensors in its union package alone.
 */
function withoutInitializers(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(withoutInitializers);
  if (typeof json !== "object" || json === null) return json;
  if ("class_name" in json && json.class_name === "Orthogonal") return { class_name: "Zeros", config: {} };
  return Object.fromEntries(Object.entries(json).map(([key, value]) => [key, withoutInitializers(value)]));
}

function isGraph({ format, modelTopology }: tf.io.ModelJSON): boolean {
  return format === "graph-model" || "node" in (modelTopology as object);
}

const shardsOf = (manifest: tf.io.WeightsManifestConfig): string[] => manifest.flatMap(({ paths }) => paths);
const besides = (file: string, shard: string): string => path.join(path.dirname(file), shard);

async function readWeights(
  file: string,
  manifest: tf.io.WeightsManifestConfig,
): Promise<[tf.io.WeightsManifestEntry[], ArrayBuffer]> {
  const shards: Uint8Array[] = [];
  for (const shard of shardsOf(manifest)) {
    const bytes = await readFile(besides(file, shard)).catch((cause: unknown) => {
      throw new FailureError(
        `Cannot convert "${file}": weight shard "${shard}" must lie beside it, got nothing readable; copy it there`,
        { code: "missing_shard", cause },
      );
    });
    shards.push(bytes);
  }
  const specs = manifest.flatMap(({ weights }) => weights);
  const [wanted, actual] = [bytesOf(specs), shards.reduce((sum, { length }) => sum + length, 0)];
  if (wanted !== undefined && wanted !== actual) {
    throw new FailureError(
      `Cannot convert "${file}": its weight shards must hold ${wanted} bytes, got ${actual}; copy them again`,
      { code: "bad_shard" },
    );
  }
  const joined = new Uint8Array(actual);
  let at = 0;
  for (const shard of shards) {
    joined.set(shard, at);
    at += shard.length;
  }
  return [specs, joined.buffer];
}

/** undefined with string weights, whose size the manifest does not tell. */
function bytesOf(specs: readonly tf.io.WeightsManifestEntry[]): number | undefined {
  const widths: Readonly<Record<string, number>> = {
    float32: 4,
    int32: 4,
    complex64: 8,
    bool: 1,
    uint8: 1,
    uint16: 2,
    float16: 2,
  };
  let total = 0;
  for (const { shape, dtype, quantization } of specs) {
    const width = widths[quantization?.dtype ?? dtype];
    if (width === undefined) return undefined;
    total += width * tf.util.sizeFromShape(shape);
  }
  return total;
}
