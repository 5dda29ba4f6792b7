import { createHash } from "node:crypto";
import { replaceFolder } from "../files/replace-folder.ts";
import { UsageError } from "../schemas/errors.ts";
import { type Manifest, manifestSchema, type TaskManifest, type TensorSpec } from "../schemas/manifest.ts";
import { validate } from "../schemas/validate.ts";
import { keepVersions } from "./bundle-versions.ts";
import { checkModel } from "./check.ts";
import type { Graph, ValueInfo } from "./graph.ts";
import { modelCard } from "./model-card.ts";
import { writeOnnx } from "./onnx-writer.ts";
import { checkParity } from "./parity.ts";
import type { ParityInput } from "./parity-inputs.ts";
import { parityTolerance } from "./parse-tolerance.ts";
import { type OwnMark, requireReplaceable } from "./replaceable.ts";
import { trace } from "./trace.ts";
import type { TensorFunction } from "./traced-function.ts";
import { tritonConfig } from "./triton-config.ts";

/** A tensor's entry in a manifest without what the graph tells. */
export type TensorText = Omit<TensorSpec, "name" | "dtype" | "shape">;

export interface BundleInput extends ParityInput {
  readonly description: string;
  /** Smallest and largest value that means something. */
  readonly range?: readonly [number, number];
}

export interface BundleOutput {
  readonly description: string;
  readonly unit: string;
  readonly names?: readonly string[];
  /** What errors are relative to at least when the file is compared: see `ParityOptions`. */
  readonly scale?: number;
}

/** One function that a user of the bundle calls: one ONNX file. */
export interface BundleTask {
  /** Letters, digits, `_` and `-`: the name of its folder, and of its model in a server. */
  readonly name: string;
  readonly description: string;
  /** Reads its parameters from `tf.Variable`s; their present values are frozen in. */
  readonly fn: TensorFunction;
  readonly inputs: Readonly<Record<string, BundleInput>>;
  readonly outputs: Readonly<Record<string, BundleOutput>>;
}

export interface BundleOptions {
  readonly dir: string;
  /** Everything of the manifest that the files do not tell. */
  readonly about: Omit<Manifest, "format" | "tasks" | "files">;
  readonly tasks: readonly BundleTask[];
  /** Files that come along as they are, by path, for instance a sample of the data. */
  readonly extras?: ReadonlyMap<string, Uint8Array>;
  /** How many earlier versions of each task stay in the bundle beside the new one; default 0: it replaces them. */
  readonly keepVersions?: number;
  /** As of `checkParity`. */
  readonly tolerance?: number | undefined;
  /** Of the inputs on which parity is checked; default: the seed of the run. */
  readonly paritySeed?: number;
  readonly onProgress?: (progress: BundleProgress) => void;
}

export interface BundleProgress {
  readonly task: string;
  /** From 1. */
  readonly index: number;
  readonly count: number;
  readonly stage: "trace" | "check" | "parity" | "done";
}

/**
 * Writes a bundle: for each task an ONNX file, traced, checked against the ONNX rules and compared with eager tfjs and
 * the WASM runtime, with its Triton configuration; the manifest; the model card. Knows no model.
 *
 * The folder appears as a whole or not at all, and replaces an older bundle in one step.
 *
 * @throws UsageError if `dir` holds something that is not a bundle, or a name cannot be used
 * @throws FailureError if a file breaks a rule, differs from its function, or cannot be written
 */
export async function writeBundle(options: BundleOptions): Promise<Manifest> {
  const { dir, about, tasks, tolerance = parityTolerance } = options;
  await requireReplaceable(dir, bundleMark);
  requireNames(tasks);
  const kept = await keepVersions(dir, { tasks: tasks.map(({ name }) => name), keep: options.keepVersions ?? 0 });
  const contents = new Map<string, Uint8Array>([...(options.extras ?? []), ...kept.contents]);
  const manifests: Record<string, TaskManifest> = {};
  for (const [at, task] of tasks.entries()) {
    const report = (stage: BundleProgress["stage"]): void =>
      options.onProgress?.({ task: task.name, index: at + 1, count: tasks.length, stage });
    const version = kept.next(task.name);
    const context = { about, seed: options.paritySeed ?? about.seed, tolerance, version, report };
    const { bytes, manifest } = await exportTask(task, context);
    const earlier = kept.earlier(task.name);
    contents.set(manifest.file, bytes);
    contents.set(`${task.name}/config.pbtxt`, utf8(tritonConfig(task.name, manifest)));
    manifests[task.name] = earlier.length === 0 ? manifest : { ...manifest, earlier };
    report("done");
  }
  const parts = { format: 1, ...about, tasks: manifests } as const;
  contents.set("README.md", utf8(modelCard(parts, tolerance)));
  const files = Object.fromEntries([...contents].map(([file, bytes]) => [file, sha256(bytes)]));
  const manifest = validate(manifestSchema, { ...parts, files }, `write bundle "${dir}"`);
  contents.set("manifest.json", utf8(`${JSON.stringify(manifest, null, 2)}\n`));
  await replaceFolder(dir, contents);
  return manifest;
}

interface TaskContext {
  readonly about: BundleOptions["about"];
  readonly seed: number;
  readonly tolerance: number;
  readonly version: string;
  readonly report: (stage: BundleProgress["stage"]) => void;
}

async function exportTask(
  task: BundleTask,
  { about, seed, tolerance, version, report }: TaskContext,
): Promise<{ bytes: Uint8Array; manifest: TaskManifest }> {
  report("trace");
  const graph = trace(task.fn, {
    name: task.name,
    inputs: task.inputs,
    variables: "frozen",
    metadata: metadataOf(task, about),
  });
  requireOutputs(task, graph);
  const bytes = writeOnnx(graph);
  report("check");
  checkModel(bytes);
  report("parity");
  const scales = Object.fromEntries(Object.entries(task.outputs).map(([name, { scale = 0 }]) => [name, scale]));
  const { name, fn, inputs } = task;
  const parity = await checkParity({ name, fn, model: bytes, inputs, scales, seed, tolerance });
  const spec = (info: ValueInfo, text: TensorText): TensorSpec => ({
    name: info.name,
    dtype: info.dtype,
    shape: manifestShape(task.name, info),
    ...text,
  });
  const manifest: TaskManifest = {
    description: task.description,
    version,
    file: `${task.name}/${version}/model.onnx`,
    sha256: sha256(bytes),
    bytes: bytes.length,
    opset: graph.opset,
    inputs: graph.inputs.map((info) => spec(info, inputText(task.inputs[info.name]!))),
    outputs: graph.outputs.map((info) => spec(info, outputText(task.outputs[info.name]!))),
    parity,
  };
  return { bytes, manifest };
}

/** What a manifest says of an input beyond its type. */
export function inputText({ description, range }: Pick<BundleInput, "description" | "range">): TensorText {
  return { description, ...(range === undefined ? {} : { range: [...range] }) };
}

/** What a manifest says of an output beyond its type. */
export function outputText({ description, unit, names }: BundleOutput): TensorText {
  return { description, unit, ...(names === undefined ? {} : { names: [...names] }) };
}

/** Names and units travel inside the file too, for a runtime that has nothing but it. */
function metadataOf(task: BundleTask, about: BundleOptions["about"]): Record<string, string> {
  const entries: [string, string][] = [
    ["bundle", about.name],
    ["task", task.name],
    ["description", task.description],
    ["family", about.family],
    ["recipe", about.recipe],
    ["seed", String(about.seed)],
    ["producer", about.producer],
  ];
  for (const [name, { description }] of Object.entries(task.inputs)) entries.push([`input.${name}`, description]);
  for (const [name, { description, unit, names }] of Object.entries(task.outputs)) {
    entries.push([`output.${name}`, description], [`output.${name}.unit`, unit]);
    if (names !== undefined) entries.push([`output.${name}.names`, names.join(", ")]);
  }
  return Object.fromEntries(entries);
}

function manifestShape(task: string, { name, shape }: ValueInfo): number[] {
  return shape.map((size) => {
    if (typeof size === "number") return size;
    if (size === "batch") return -1;
    throw new UsageError(
      `Cannot export "${task}": sizes of "${name}" must be numbers or the batch, got [${shape.join(", ")}]`,
      { code: "bad_task" },
    );
  });
}

function requireOutputs(task: BundleTask, graph: Graph): void {
  const declared = Object.keys(task.outputs).sort().join(", ");
  const made = graph.outputs
    .map(({ name }) => name)
    .sort()
    .join(", ");
  if (declared !== made) {
    throw new UsageError(`Cannot export "${task.name}": its outputs must be ${declared}, got ${made}`, {
      code: "bad_task",
    });
  }
}

function requireNames(tasks: readonly BundleTask[]): void {
  if (tasks.length === 0) throw new UsageError("Cannot export bundle: it must have a task, got none");
  const seen = new Set<string>();
  for (const { name, inputs, outputs } of tasks) {
    if (!/^[A-Za-z0-9_-]+$/.test(name) || seen.has(name)) {
      throw new UsageError(
        `Cannot export task "${name}": its name must be its own and of letters, digits, _ and -, got "${name}"`,
        { code: "bad_task" },
      );
    }
    seen.add(name);
    const shared = Object.keys(outputs).find((output) => Object.hasOwn(inputs, output));
    if (shared !== undefined) {
      throw new UsageError(
        `Cannot export "${name}": inputs and outputs must have different names (ONNX has one name space), got "${shared}" twice`,
        { code: "bad_task" },
      );
    }
  }
}

const bundleMark: OwnMark = { kind: "a bundle", file: "manifest.json", keys: ["format", "tasks"] };

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
