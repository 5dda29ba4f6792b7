process.env.ORT_DISABLE_TELEMETRY = "1";

import * as tf from "@tensorflow/tfjs-core";
import "../export/tfjs-setup.ts";
import { GraphBuilder } from "../export/builder.ts";
import { finish } from "../export/finish.ts";
import type { Graph } from "../export/graph.ts";
import { writeOnnx } from "../export/onnx-writer.ts";
import { trace } from "../export/trace.ts";
import { createSession } from "../runtime/create-session.ts";
import type { Session } from "../runtime/session.ts";
import { gkVaeConfigSchema } from "../schemas/gk-vae-config.ts";
import { elementCount, type HostTensor } from "../schemas/tensor.ts";
import { validate } from "../schemas/validate.ts";
import type { Feeds } from "../train/engine/engine.ts";
import { rowsPerPass, startEngine } from "../train/engine/start-engine.ts";
import { buildStep, type StepParts } from "../train/engine/step.ts";
import { gkVae } from "../train/models/gk-vae.ts";
import { stream } from "../train/random.ts";
import { type Measured, record, spread } from "./record.ts";

/**
 * Speed of the compiled training step of the two-view 64x64x3 GK-VAE, batch 128: milliseconds, GFLOP/s of the
 * convolutions and matrix products in the graph, and the ratio to a plain 1024^3 Gemm, timed in turn with it.
 *
 *   npm run bench -- step [threads]
 */

const batchSize = 128;
const rounds = 15;
const warmUp = 3;
const threads = Number(process.argv[2] ?? 2);

const config = validate(
  gkVaeConfigSchema,
  { image: { size: 64, channels: 3 }, latents: { common: 3, unique: 3 } },
  "configure the benchmark",
);
await tf.setBackend("cpu");
const phase = gkVae.phases(config)[0]!;
const parts: StepParts = {
  phase,
  networks: gkVae.networks(config, 0),
  inputs: gkVae.inputs(config),
  noise: gkVae.noise(config, batchSize),
  batchSize,
  microBatch: 0,
  phaseSteps: 1000,
};
const feeds = sampleFeeds(parts);
const flops = countFlops(stepGraph(parts));
const gemm = await gemmSession(1024);
const { engine, scalars } = await startEngine(
  parts,
  { engine: "compiled", backend: "cpu", device: "cpu", threads },
  { sample: () => feeds, log: console.log },
);

const stepMs: number[] = [];
const gemmMs: number[] = [];
const ratios: number[] = [];
let loss = 0;
for (let round = 0; round < warmUp + rounds; round++) {
  const started = performance.now();
  const terms = await engine.step({ ...feeds, ...scalars(round) });
  const step = performance.now() - started;
  const product = await timeGemm(gemm, 5);
  loss = terms.loss!;
  if (round < warmUp) continue;
  stepMs.push(step);
  gemmMs.push(product);
  ratios.push(flops / step / ((2 * 1024 ** 3) / product));
}
if (!Number.isFinite(loss)) throw new Error(`The benchmark's loss must be finite, got ${loss}`);
await engine.dispose();
await gemm.session.release();

const ms = spread(stepMs);
const perMs = (milliseconds: number): number => flops / milliseconds / 1e6;
const ratio = spread(ratios).median;
const common = { bench: "step", runs: ms.runs };
const rows: Measured[] = [
  { ...common, metric: "train_step_64x64x3_b128", unit: "ms", ...ms, reference: "gemm", ratio },
  {
    ...common,
    metric: "train_step_64x64x3_b128.gflops",
    unit: "GFLOP/s",
    median: perMs(ms.median),
    min: perMs(ms.max),
    max: perMs(ms.min),
    reference: "gemm",
    ratio,
  },
  { bench: "step", metric: "gemm_1024", unit: "ms", ...spread(gemmMs) },
];
const peak = process.resourceUsage().maxRSS / 1024;
rows.push({ bench: "step", metric: "peak_memory", unit: "MiB", median: peak, min: peak, max: peak, runs: 1 });
record("step", rows);

function stepGraph(of: StepParts): Graph {
  const program = buildStep({ ...of, microBatch: rowsPerPass(of, "cpu") });
  try {
    return trace((inputs) => program.run(inputs), { name: program.name, inputs: program.inputs, variables: "state" });
  } finally {
    program.dispose();
  }
}

/** Floating point operations of all convolutions and matrix products; a multiply-add counts two. */
function countFlops(graph: Graph): number {
  const shapes = new Map<string, readonly number[]>();
  for (const { name, shape } of graph.inputs) shapes.set(name, shape.map(Number));
  for (const [name, { shape }] of graph.initializers) shapes.set(name, shape);
  for (const node of graph.nodes) for (const { name, shape } of node.outputs) shapes.set(name, shape.map(Number));
  let total = 0;
  for (const { op, inputs, outputs } of graph.nodes) {
    const [a, b] = [shapes.get(inputs[0]!)!, shapes.get(inputs[1] ?? "")];
    const out = outputs[0]!.shape.map(Number);
    if (op === "Conv") total += 2 * elementCount(out) * elementCount(b!.slice(1));
    else if (op === "ConvTranspose") total += 2 * elementCount(a) * elementCount(b!.slice(1));
    else if (op === "Gemm" || op === "MatMul") total += (2 * elementCount(out) * elementCount(a)) / rowsOf(a, out);
  }
  return total;
}

/** Size of the left operand that is not summed over: its rows, or its columns where the product transposes it. */
function rowsOf(a: readonly number[], out: readonly number[]): number {
  return elementCount(out.slice(0, -1)) || elementCount(a);
}

function sampleFeeds(of: StepParts): Feeds {
  const random = stream(0, "bench");
  const made: Record<string, HostTensor> = {};
  for (const [name, { shape }] of Object.entries(of.inputs)) {
    const sizes = shape.map((size) => (size === "batch" ? batchSize : size));
    const data = Uint8Array.from({ length: elementCount(sizes) }, () => random.integer(256));
    made[`batch/${name}`] = { dtype: "uint8", shape: sizes, data };
  }
  for (const [name, { shape }] of Object.entries(of.noise)) {
    const data = Float32Array.from({ length: elementCount(shape) }, () => random.normal());
    made[`noise/${name}`] = { dtype: "float32", shape, data };
  }
  return made;
}

async function gemmSession(size: number): Promise<{ session: Session; feeds: Feeds }> {
  const builder = new GraphBuilder();
  const type = { dtype: "float32", shape: [size, size] } as const;
  const product = builder.node("Gemm", [builder.input("a", type), builder.input("b", type)], type);
  const graph = finish(builder, { name: "gemm", metadata: {}, outputs: [["product", product]], state: [] });
  const random = stream(0, "bench", "gemm");
  const matrix = (): HostTensor => ({
    ...type,
    data: Float32Array.from({ length: size * size }, () => random.normal()),
  });
  return { session: await createSession(writeOnnx(graph), { threads }), feeds: { a: matrix(), b: matrix() } };
}

/** Median of a few products, in milliseconds. */
async function timeGemm(of: { session: Session; feeds: Feeds }, times: number): Promise<number> {
  const measured: number[] = [];
  for (let i = 0; i < times; i++) {
    const started = performance.now();
    await of.session.run(of.feeds);
    measured.push(performance.now() - started);
  }
  return spread(measured).median;
}
