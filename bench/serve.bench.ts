process.env.ORT_DISABLE_TELEMETRY = "1";

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { encode } from "fast-png";
import { stream } from "../information/random.ts";
import { createSession } from "../runtime/create-session.ts";
import type { Manifest, TaskManifest } from "../schemas/manifest.ts";
import { datatypeOf } from "../schemas/open-inference.ts";
import type { ServeConfig } from "../schemas/serve-config.ts";
import { elementCount, type HostTensor } from "../schemas/tensor.ts";
import { joinMessage } from "../serve/protocol/binary-tensors.ts";
import { type Measured, record, spread } from "./record.ts";
import { httpRequest, LoadProcess, type LoadResult } from "./serve/load.ts";
import { ServerProcess } from "./serve/server.ts";

/**
 * Rows a second and latencies of `cominfo serve`, one row a request, from a load process on the same machine, against
 * raw ONNX Runtime on all its cores (the best batch size), measured in turn with it.
 *
 *   npm run bench -- serve [rounds] [seconds] [flags of `cominfo serve`: printed, not written]
 *
 * `encoder`: one 64x64x3 view, 12 KB a row. `digits`: rotated-mnist.encode, a pair of 32x32x1 views, 2 KB a row.
 */

const rounds = Number(process.argv[2] ?? 3);
const seconds = Number(process.argv[3] ?? 3);
/** For instance `--instances 1 --threads 2`. */
const flags = process.argv.slice(4);
const warmSeconds = 4;
const levels = [1, 16, 64, 256];
const cores = availableParallelism();

interface Subject {
  /** In front of the names of its metrics; the encoder is what the target is set for. */
  readonly prefix: string;
  readonly folder: string;
  readonly model: string;
  readonly spec: TaskManifest;
  readonly bodies: readonly Body[];
}

/** JSON numbers, the binary tensor extension, or the task route with PNG files in a form. */
type Body = "json" | "uint8" | "png";

const scratch = mkdtempSync(path.join(tmpdir(), "cominfo-bench-"));
const values = new Map<string, { unit: string; values: number[]; reference?: string; ratios: number[] }>();
const load = new LoadProcess();
try {
  const folder = path.join(scratch, "bench");
  execFileSync(process.execPath, [fileURLToPath(new URL("serve/encoder-bundle-main.js", import.meta.url)), folder]);
  const encoder = {
    prefix: "",
    folder,
    model: "bench.encode",
    spec: encodeTaskOf(folder),
    bodies: ["uint8", "json"] as const,
  };
  const digits = {
    prefix: "digits.",
    folder: "models/rotated-mnist",
    model: "rotated-mnist.encode",
    spec: encodeTaskOf("models/rotated-mnist"),
    bodies: ["uint8", "json", "png"] as const,
  };
  for (let round = 0; round < rounds; round++) {
    console.log(`Round ${round + 1} of ${rounds}`);
    await measure(encoder, levels);
    await measure(digits, [64]);
  }
} finally {
  load.close();
  rmSync(scratch, { recursive: true });
}

const rows: Measured[] = [...values].map(([metric, { unit, values: all, reference, ratios }]) => ({
  bench: "serve",
  metric,
  unit,
  ...spread(all),
  ...(reference === undefined ? {} : { reference, ratio: spread(ratios).median }),
}));
record("serve", rows, { trial: flags.length === 0 ? undefined : flags.join(" ") });

function encodeTaskOf(folder: string): TaskManifest {
  const manifest = JSON.parse(readFileSync(path.join(folder, "manifest.json"), "utf8")) as Manifest;
  return manifest.tasks.encode!;
}

async function measure(subject: Subject, concurrencies: readonly number[]): Promise<void> {
  const { prefix } = subject;
  const ceilings = [await ceilingOf(subject)];
  const rates = new Map<string, number>();
  let lonelyMs = 0;
  await withServer(subject, {}, async (server) => {
    for (const body of subject.bodies) {
      for (const concurrency of concurrencies) {
        const result = await underLoad(server, subject, { body, concurrency });
        const name = `${body}.c${concurrency}`;
        rates.set(name, result.answers / result.seconds);
        if (name === "uint8.c64") noteCpu(prefix, result);
        for (const quantile of ["p50", "p95", "p99"] as const) {
          note(`${prefix}latency_${quantile}.${name}`, "ms", result[quantile]);
        }
        if (name === "uint8.c1") lonelyMs = result.p50;
      }
      if (body === "uint8" && lonelyMs > 0) {
        await halfLoad(server, subject, { lonelyMs, ratePerS: rates.get("uint8.c64")! / 2 });
      }
    }
  });
  if (lonelyMs > 0) await bare(subject, { lonelyMs, ratePerS: rates.get("uint8.c64")! / 2 });
  ceilings.push(await ceilingOf(subject));
  // Batching off, in the same minute as batching on.
  await withServer(subject, { maxBatchRows: 1 }, async (server) => {
    const off = await underLoad(server, subject, { body: "uint8", concurrency: 64 });
    const rate = off.answers / off.seconds;
    note(`${prefix}rows_per_s.uint8.c64.batching_off`, "rows/s", rate);
    const on = rates.get("uint8.c64")!;
    note(`${prefix}batching_gain.uint8.c64`, "rows/s", on, { reference: "batching off", of: rate });
  });
  const ceiling = spread(ceilings).median;
  for (const each of ceilings) note(`${prefix}ceiling`, "rows/s", each);
  for (const [name, rate] of rates) {
    note(`${prefix}rows_per_s.${name}`, "rows/s", rate, { reference: "onnxruntime", of: ceiling });
  }
}

/** The same requests to a server that only answers: what Node, the load generator and the machine take by themselves. */
async function bare(encoder: Subject, half: { lonelyMs: number; ratePerS: number }): Promise<void> {
  const subject = { ...encoder, prefix: "bare." };
  const server = await ServerProcess.bare();
  try {
    await warm(server, subject);
    const result = await underLoad(server, subject, { body: "uint8", concurrency: 64 });
    note("bare.rows_per_s.uint8.c64", "rows/s", result.answers / result.seconds);
    noteCpu("bare.", result);
    await halfLoad(server, subject, half);
  } finally {
    await server.stop();
  }
}

/** Half of what 64 clients get, at a steady rate: the latency against that of a lone client. */
async function halfLoad(
  server: ServerProcess,
  subject: Subject,
  { lonelyMs, ratePerS }: { lonelyMs: number; ratePerS: number },
): Promise<void> {
  const half = await underLoad(server, subject, { body: "uint8", concurrency: 256, ratePerS });
  note(`${subject.prefix}half_load.p50.uint8`, "ms", half.p50);
  note(`${subject.prefix}half_load.p99.uint8`, "ms", half.p99, { reference: "latency_p50.uint8.c1", of: lonelyMs });
  note(`${subject.prefix}half_load.failures`, "1", half.failures);
}

function note(metric: string, unit: string, value: number, against?: { reference: string; of: number }): void {
  let entry = values.get(metric);
  if (entry === undefined) {
    entry = { unit, values: [], ratios: [], ...(against === undefined ? {} : { reference: against.reference }) };
    values.set(metric, entry);
  }
  entry.values.push(value);
  if (against !== undefined) entry.ratios.push(value / against.of);
}

/** Rows a second of ONNX Runtime alone, on all cores: the best of several batch sizes. */
async function ceilingOf({ folder, spec }: Subject): Promise<number> {
  let best = 0;
  const session = await createSession(path.join(folder, spec.file), { threads: cores });
  for (const size of [16, 32, 64, 128]) {
    const feeds = rowsFor(spec, size);
    for (let i = 0; i < 3; i++) await session.run(feeds);
    const began = performance.now();
    let count = 0;
    while (performance.now() - began < (seconds * 1000) / 4) {
      await session.run(feeds);
      count++;
    }
    best = Math.max(best, (count * size * 1000) / (performance.now() - began));
  }
  await session.release();
  return best;
}

function rowsFor(spec: TaskManifest, size: number): Record<string, HostTensor> {
  const random = stream(0, "bench", "serve");
  const feeds: Record<string, HostTensor> = {};
  for (const { name, shape: declared } of spec.inputs) {
    const shape = declared.map((axis) => (axis === -1 ? size : axis));
    feeds[name] = {
      dtype: "uint8",
      shape,
      data: Uint8Array.from({ length: elementCount(shape) }, () => random.integer(256)),
    };
  }
  return feeds;
}

async function withServer(
  subject: Subject,
  config: ServeConfig,
  use: (server: ServerProcess) => Promise<void>,
): Promise<void> {
  const server = await ServerProcess.start(subject.folder, config, flags);
  try {
    await warm(server, subject);
    await use(server);
  } finally {
    await server.stop();
  }
}

/** V8 compiles for tens of thousands of requests: the first cost twice as much as those of a server that has run a while. */
async function warm({ port }: ServerProcess, subject: Subject): Promise<void> {
  await load.run({ port, request: requestOf(subject, "uint8"), concurrency: 64, seconds: warmSeconds });
}

interface UnderLoad extends LoadResult {
  /** CPU time of a row, us, by process; empty where the system does not tell. */
  readonly cpu: readonly (readonly [process: string, us: number])[];
}

function noteCpu(prefix: string, { cpu }: UnderLoad): void {
  for (const [process, us] of cpu) note(`${prefix}cpu_per_row.${process}.uint8.c64`, "us", us);
}

async function underLoad(
  server: ServerProcess,
  subject: Subject,
  { body, concurrency, ratePerS }: { body: Body; concurrency: number; ratePerS?: number },
): Promise<UnderLoad> {
  const atRate = ratePerS === undefined ? {} : { ratePerS };
  const order = { port: server.port, request: requestOf(subject, body), concurrency, ...atRate };
  // Connections, compiled code, ONNX Runtime's memory. V8 compiles anew for a load of another kind.
  await load.run({ ...order, seconds: ratePerS === undefined ? 0.5 : warmSeconds });
  const before = server.cpuSeconds();
  const result = await load.run({ ...order, seconds });
  const after = server.cpuSeconds();
  const spent =
    before === undefined || after === undefined
      ? []
      : ([
          ["server", after.server - before.server],
          ["workers", after.workers - before.workers],
          ["load", result.cpuSeconds],
        ] as const);
  const cpu = spent.map(([process, seconds]) => [process, (seconds * 1e6) / result.answers] as const);
  const rate = (result.answers / result.seconds).toFixed(0);
  const kind = ratePerS === undefined ? `c${concurrency}` : "half load";
  const told = cpu.map(([process, us]) => `${process} ${us.toFixed(0)}`).join(", ");
  console.log(
    `  ${subject.prefix}${subject.model} ${body} ${kind}: ${rate} rows/s, p99 ${result.p99.toFixed(1)} ms; CPU a row, us: ${told}`,
  );
  return { ...result, cpu };
}

function requestOf({ model, spec }: Subject, body: Body): Uint8Array {
  const feeds = rowsFor(spec, 1);
  if (body === "png") return formRequest(model, feeds);
  const inputs = Object.entries(feeds).map(([name, { shape, data }]) => {
    const entry = { name, shape, datatype: datatypeOf.uint8 };
    return body === "json"
      ? { ...entry, data: [...data] }
      : { ...entry, parameters: { binary_data_size: data.byteLength } };
  });
  const target = `/v2/models/${model}/infer`;
  if (body === "json") {
    return httpRequest(target, { "content-type": "application/json" }, Buffer.from(JSON.stringify({ inputs })));
  }
  const message = joinMessage(
    { inputs, parameters: { binary_data_output: true } },
    Object.values(feeds).map(({ data }) => new Uint8Array(data.buffer)),
  );
  const headers = {
    "content-type": "application/octet-stream",
    "inference-header-content-length": String(message.headerLength),
  };
  return httpRequest(target, headers, message.body);
}

/** `curl -F view_1=@one.png -F view_2=@two.png .../v1/{bundle}/{task}` */
function formRequest(model: string, feeds: Readonly<Record<string, HostTensor>>): Uint8Array {
  const boundary = "----cominfo-bench";
  const parts = Object.entries(feeds).flatMap(([name, { shape, data }]) => {
    const [, height, width, channels] = shape as [number, number, number, number];
    const head = `--${boundary}\r\ncontent-disposition: form-data; name="${name}"; filename="${name}.png"\r\ncontent-type: image/png\r\n\r\n`;
    return [Buffer.from(head), encode({ width, height, channels, data: data as Uint8Array }), Buffer.from("\r\n")];
  });
  const body = Buffer.concat([...parts, Buffer.from(`--${boundary}--\r\n`)]);
  return httpRequest(
    `/v1/${model.replace(".", "/")}`,
    { "content-type": `multipart/form-data; boundary=${boundary}` },
    body,
  );
}
