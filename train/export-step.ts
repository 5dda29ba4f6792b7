import { gzipSync } from "node:zlib";
import * as tf from "@tensorflow/tfjs-core";
import "../export/tfjs-setup.ts";
import { inputText, outputText, type TensorText } from "../export/bundle.ts";
import { checkModel } from "../export/check.ts";
import type { ValueInfo } from "../export/graph.ts";
import { writeOnnx } from "../export/onnx-writer.ts";
import { type OwnMark, requireReplaceable } from "../export/replaceable.ts";
import { trace } from "../export/trace.ts";
import { type FolderContents, replaceFolder } from "../files/replace-folder.ts";
import { UsageError } from "../schemas/errors.ts";
import type { TensorSpec } from "../schemas/manifest.ts";
import type { Recipe } from "../schemas/recipe.ts";
import { writeSafetensors } from "../schemas/safetensors.ts";
import type { HostTensor } from "../schemas/tensor.ts";
import { type TrainingStep, trainingStepSchema } from "../schemas/training-step.ts";
import { validate } from "../schemas/validate.ts";
import { describedData } from "./data/described-data.ts";
import type { PairSource } from "./data/pair-source.ts";
import { compileStep } from "./engine/compile-step.ts";
import { buildStep, type StepProgram } from "./engine/step.ts";
import type { ModelFamily, Networks, TaskSpec } from "./models/family.ts";
import { countParameters } from "./networks/parameters.ts";
import { producer } from "./producer.ts";
import { samplePairs, samplesFile } from "./sample-pairs.ts";

export interface ExportStepRequest {
  readonly recipe: Recipe;
  readonly family: ModelFamily<unknown>;
  readonly source: PairSource;
  /** Folder that the files replace as a whole. */
  readonly outDir: string;
  /** Pairs to train on that go along. */
  readonly pairs: number;
}

/**
 * Writes the training step of a recipe for a runtime elsewhere, the browser demo for instance: the compiled step, the
 * state it starts with, its schedules, pairs to train on, and every task with the weights as inputs.
 *
 * @throws UsageError for a family that trains in several phases, or a folder that holds something else
 */
export async function exportStep(request: ExportStepRequest): Promise<TrainingStep> {
  const { recipe, family, source, outDir, pairs } = request;
  const { seed, batchSize, microBatch, steps } = recipe.training;
  const [phase, ...more] = family.phases(recipe.model);
  if (phase === undefined || more.length > 0) {
    throw new UsageError(
      `Cannot export the training step of "${recipe.name}": its family must train in one phase, got ${1 + more.length}`,
      { code: "several_phases" },
    );
  }
  await requireReplaceable(outDir, stepMark);
  await tf.setBackend("cpu");
  const networks = family.networks(recipe.model, seed);
  const noise = family.noise(recipe.model, batchSize);
  const inputs = family.inputs(recipe.model);
  const program = buildStep({ phase, networks, inputs, noise, batchSize, microBatch, phaseSteps: steps });
  try {
    const step = compileStep(program);
    checkModel(step.model);
    const tasks = Object.entries(family.tasks(recipe.model)).map(([name, task]) => tracedTask(name, task, networks));
    const about: TrainingStep = {
      format: 1,
      name: recipe.name,
      title: recipe.title,
      family: family.name,
      recipe: recipe.name,
      seed,
      batchSize,
      parameters: countParameters(networks),
      producer,
      data: describedData(source.description),
      latents: family.latents(recipe.model).map(({ name, dimensions }) => ({ name, dimensions: [...dimensions] })),
      step: {
        file: "step.onnx",
        batch: Object.keys(inputs),
        noise: Object.fromEntries(
          Object.entries(noise).map(([name, { shape, distribution }]) => [name, { shape: [...shape], distribution }]),
        ),
        inputs: [...step.inputs],
        terms: [...step.terms],
        minimises: phase.players[0]!.minimises,
        state: step.variables.map(({ name, input, output }) => ({
          name,
          ...(input === undefined ? {} : { input }),
          ...(output === undefined ? {} : { output }),
        })),
      },
      start: { file: "start.safetensors.gz", steps },
      samples: { file: samplesFile, pairs },
      tasks: Object.fromEntries(tasks.map(({ name, entry }) => [name, entry])),
    };
    const contents: FolderContents = new Map<string, Uint8Array>([
      ["training.json", utf8(`${JSON.stringify(validate(trainingStepSchema, about, "export the step"), null, 2)}\n`)],
      [about.step.file, step.model],
      [about.start.file, gzipSync(writeSafetensors(startOf(program, step.initial, steps)), { level: 9 })],
      [about.samples.file, samplePairs(source, { pairs, seed })],
      ...tasks.map(({ entry, bytes }) => [entry.file, bytes] as const),
    ]);
    await replaceFolder(outDir, contents);
    return about;
  } finally {
    program.dispose();
    tf.dispose(Object.values(networks));
  }
}

const stepMark: OwnMark = { kind: "an exported step", file: "training.json", keys: ["format", "step", "start"] };

function startOf(
  program: StepProgram,
  initial: ReadonlyMap<string, HostTensor>,
  steps: number,
): Map<string, HostTensor> {
  const start = new Map([...initial].map(([name, value]) => [`state/${name}`, value]));
  for (const name of Object.keys(program.scalars(0))) {
    const data = Float32Array.from({ length: steps }, (_, step) => program.scalars(step)[name]!);
    start.set(`schedule/${name}`, { dtype: "float32", shape: [steps], data });
  }
  return start;
}

/** A task whose weights are inputs, for the values that training has reached, or to be put into the file later. */
function tracedTask(name: string, task: TaskSpec, networks: Networks) {
  const graph = trace((inputs) => task.run(networks, inputs), { name, inputs: task.inputs, variables: "state" });
  const bytes = writeOnnx(graph);
  checkModel(bytes);
  const state = graph.state.flatMap(({ input }) => (input === undefined ? [] : [input]));
  const spec = (info: ValueInfo, text: TensorText): TensorSpec => ({
    name: info.name,
    dtype: info.dtype,
    shape: info.shape.map((size) => (typeof size === "number" ? size : -1)),
    ...text,
  });
  const entry: TrainingStep["tasks"][string] = {
    description: task.description,
    file: `tasks/${name}.onnx`,
    opset: graph.opset,
    inputs: graph.inputs
      .filter((info) => !state.includes(info.name))
      .map((info) => spec(info, inputText(task.inputs[info.name]!))),
    outputs: graph.outputs.map((info) => spec(info, outputText(task.outputs[info.name]!))),
    state,
  };
  return { name, entry, bytes };
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
