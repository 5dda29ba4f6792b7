process.env.ORT_DISABLE_TELEMETRY = "1";

import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import * as tf from "@tensorflow/tfjs-core";
import { writeBundle } from "../export/bundle.ts";
import "../export/tfjs-setup.ts";
import { npyHeader } from "../files/npy.ts";
import { type ZipEntry, zipEnd, zipLocalHeader } from "../files/zip-writer.ts";
import { stream } from "../information/random.ts";
import { loadOnnxRuntime } from "../runtime/onnxruntime.ts";
import { gkVaeConfigSchema } from "../schemas/gk-vae-config.ts";
import { validate } from "../schemas/validate.ts";
import { placeOf } from "../serve/score/place.ts";
import { runScore } from "../serve/score/run-score.ts";
import { gkVae } from "../train/models/gk-vae.ts";
import { type Measured, record, spread } from "./record.ts";

/**
 * Batch scoring against a plain loop over ONNX Runtime, in turn with it: npz to Parquet, `encode` of two uint8 views of
 * 64x64x3 (random weights), rows a second from the first row read to the output in place. Then the peak memory of the
 * program at 100,000 and 1,000,000 rows of one 32x32 view.
 *
 *   npm run bench -- score [threads] [no-memory]
 */

const threads = Number(process.argv[2] ?? 2);
const withMemory = process.argv[3] !== "no-memory";
const [rows, batch, rounds] = [8192, 128, 5];
const viewBytes = 64 * 64 * 3;

const folder = mkdtempSync(path.join(tmpdir(), "cominfo-bench-"));
try {
  const measured = await measureSpeed();
  if (withMemory) measured.push(...[100_000, 1_000_000].map(measureMemory));
  record("score", measured);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measureSpeed(): Promise<Measured[]> {
  const bundle = path.join(folder, "bench");
  const model = await writeEncoder(bundle);
  const source = path.join(folder, "pairs.npz");
  writeArchive(source, { names: ["view_1", "view_2"], shape: [rows, 64, 64, 3] });
  const raw = await openRawLoop(path.join(bundle, model));
  const [ours, loop, ratios]: [number[], number[], number[]] = [[], [], []];
  for (let round = 0; round <= rounds; round++) {
    const reference = await raw();
    const scored = await score(bundle, source);
    if (round === 0) continue; // warm-up
    loop.push(reference);
    ours.push(scored);
    ratios.push(scored / reference);
  }
  const common = { bench: "score", unit: "rows/s" };
  return [
    {
      ...common,
      metric: "rows_per_s.npz_parquet",
      ...spread(ours),
      reference: "onnxruntime",
      ratio: spread(ratios).median,
    },
    { ...common, metric: "rows_per_s.onnxruntime_loop", ...spread(loop) },
  ];
}

/** @returns the task's file, relative to the bundle */
async function writeEncoder(dir: string): Promise<string> {
  const config = validate(
    gkVaeConfigSchema,
    { image: { size: 64, channels: 3 }, latents: { common: 3, unique: 3 } },
    "configure the benchmark",
  );
  await tf.setBackend("cpu");
  const networks = gkVae.networks(config, 0);
  const { run, description, inputs, outputs } = gkVae.tasks(config).encode!;
  const manifest = await writeBundle({
    dir,
    about: {
      name: "bench",
      title: "random weights",
      family: gkVae.name,
      recipe: "none",
      seed: 0,
      steps: 0,
      parameters: 0,
      created: new Date().toISOString(),
      producer: "bench",
      data: { name: "none", summary: "none", factors: [], provenance: {} },
      latents: [],
      evaluation: [],
    },
    tasks: [{ name: "encode", description, inputs, outputs, fn: (tensors) => run(networks, tensors) }],
  });
  return manifest.tasks.encode!.file;
}

/** Stored arrays of random bytes, as `numpy.savez` writes them; one block of them over and over. */
function writeArchive(file: string, { names, shape }: { names: readonly string[]; shape: readonly number[] }): void {
  const bytes = shape.reduce((product, size) => product * size, 1);
  const block = randomBytes(Math.min(bytes, 4 << 20));
  const header = npyHeader("|u1", shape);
  const handle = openSync(file, "w");
  let at = 0;
  const write = (piece: Uint8Array): void => {
    at += writeSync(handle, piece);
  };
  const pieces = function* (): Generator<Uint8Array> {
    yield header;
    for (let left = bytes; left > 0; left -= block.length) yield block.subarray(0, Math.min(left, block.length));
  };
  const entries = names.map((name): ZipEntry => {
    let crc = 0;
    for (const piece of pieces()) crc = crc32(piece, crc);
    const entry = { name: `${name}.npy`, bytes: header.length + bytes, crc, start: at };
    write(zipLocalHeader(entry));
    for (const piece of pieces()) write(piece);
    return entry;
  });
  write(zipEnd(entries, at));
  closeSync(handle);
}

function randomBytes(length: number): Uint8Array {
  const random = stream(0, "bench");
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => random.uint32());
  return new Uint8Array(words.buffer, 0, length);
}

/** The same rows in memory, ONNX Runtime's own session with its defaults but for the threads. @returns rows a second */
async function openRawLoop(file: string): Promise<() => Promise<number>> {
  const { InferenceSession, Tensor } = await loadOnnxRuntime();
  const session = await InferenceSession.create(readFileSync(file), {
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
  });
  const block = randomBytes(batch * viewBytes);
  return async () => {
    const began = performance.now();
    for (let row = 0; row < rows; row += batch) {
      const view = () => new Tensor("uint8", block, [batch, 64, 64, 3]);
      await session.run({ view_1: view(), view_2: view() });
    }
    return rows / ((performance.now() - began) / 1000);
  };
}

async function score(bundle: string, source: string): Promise<number> {
  const request = {
    bundle,
    task: "encode",
    sources: [{ name: undefined, path: source }],
    mapping: { inputs: {} },
    device: "cpu",
    batch,
    partRows: undefined,
    seed: 0,
    partial: false,
    resize: false,
  } as const;
  const place = placeOf(path.join(folder, "codes.parquet"), { task: "encode", format: undefined });
  const { seconds, rows: counted } = await runScore(request, place, { threads, overwrite: true });
  if (counted.scored !== rows || counted.rejected !== 0) throw new Error(`Scored ${counted.scored} of ${rows} rows`);
  return rows / (seconds.scoring + seconds.finishing);
}

/** The program itself, in a process of its own. */
function measureMemory(count: number): Measured {
  const source = path.join(folder, `rows-${count}.npz`);
  writeArchive(source, { names: ["view_1"], shape: [count, 32, 32, 1] });
  const cli = fileURLToPath(new URL("../cli.js", import.meta.url));
  const flags = ["score", "--model", "models/rotated-mnist", "--task", "encode_1", "--in", source];
  flags.push("--out", path.join(folder, `codes-${count}.parquet`), "--threads", String(threads), "--json", "--quiet");
  const { peakMemoryMiB } = JSON.parse(
    execFileSync(process.execPath, [cli, ...flags], { encoding: "utf8", maxBuffer: 1 << 26 }),
  ) as {
    peakMemoryMiB: number;
  };
  rmSync(source);
  const once = { median: peakMemoryMiB, min: peakMemoryMiB, max: peakMemoryMiB, runs: 1 };
  return { bench: "score", metric: `peak_memory.rows_${count}`, unit: "MiB", ...once };
}
