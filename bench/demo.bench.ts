process.env.ORT_DISABLE_TELEMETRY = "1";

import { existsSync, readFileSync } from "node:fs";
import { chromium, type Page } from "playwright-core";
import { createSession } from "../runtime/create-session.ts";
import type { Manifest } from "../schemas/manifest.ts";
import { elementCount, type HostTensor } from "../schemas/tensor.ts";
import { startServer } from "../serve/start-server.ts";
import { type Measured, record, spread } from "./record.ts";

/**
 * What a drag in the browser demo waits for: one decode of rotated-mnist, batch 1, in a real Chromium page, from the
 * message to the demo's own worker (ONNX Runtime Web, WASM, one thread) to its answer. The target is 16 ms, a frame.
 * The reference is the native runtime on one thread, timed in turn with it.
 *
 *   npm run bench -- demo [rounds]
 */

const model = "rotated-mnist";
const target = 16;
const rounds = Number(process.argv[2] ?? 10);
const runs = 50;
const warmUp = 20;

const folder = `models/${model}`;
const manifest = JSON.parse(readFileSync(`${folder}/manifest.json`, "utf8")) as Manifest;
const decode = manifest.tasks.decode!;
const shapes = Object.fromEntries(decode.inputs.map(({ name, shape }) => [name, [1, ...shape.slice(1)]]));

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);
if (executablePath === undefined) throw new Error("Cannot measure the demo: Chromium must be in /usr/bin, got none");
const server = await startServer({ repository: "models", port: 0, threads: 1 });
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
const native = await createSession(new Uint8Array(readFileSync(`${folder}/${decode.file}`)), { threads: 1 });
try {
  const page = await openWorker();
  const inPage: number[][] = [];
  const beside: number[][] = [];
  await timeInPage(page, warmUp);
  await timeNative(warmUp);
  for (let round = 0; round < rounds; round++) {
    inPage.push(await timeInPage(page, runs));
    beside.push(await timeNative(runs));
  }
  const medians = inPage.map(median);
  const ratio = spread(medians.map((value, round) => value / median(beside[round]!))).median;
  const p95 = spread(inPage.map(percentile95));
  const rows: Measured[] = [
    { bench: "demo", metric: "decode_wasm_b1", unit: "ms", ...spread(medians), reference: "native_decode", ratio },
    { bench: "demo", metric: "decode_wasm_b1.p95", unit: "ms", ...p95 },
    { bench: "demo", metric: "native_decode_b1", unit: "ms", ...spread(beside.map(median)) },
  ];
  record("demo", rows);
  console.log(`p95 ${p95.median.toFixed(1)} ms, target ${target} ms: ${p95.median <= target ? "met" : "missed"}`);
} finally {
  await native.release();
  await browser.close();
  await server.close();
}

function feeds(): Record<string, HostTensor> {
  const entries = Object.entries(shapes).map(([name, shape]): [string, HostTensor] => {
    const data = Float32Array.from({ length: elementCount(shape) }, (_, at) => Math.sin(at + 1));
    return [name, { dtype: "float32", shape, data }];
  });
  return Object.fromEntries(entries);
}

async function timeNative(times: number): Promise<number[]> {
  const measured: number[] = [];
  for (let run = 0; run < times; run++) {
    const started = performance.now();
    await native.run(feeds());
    measured.push(performance.now() - started);
  }
  return measured;
}

/** A worker like the page's own, from the same script, with the decoder open in it. */
async function openWorker(): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(`${server.url}/#view=two-views&model=${model}&backend=wasm`);
  await page.locator(".codes.common .total").waitFor();
  const script = page.workers()[0]!.url();
  await page.evaluate(
    async ({ script, file }) => {
      const worker = new Worker(script, { type: "module" });
      const call = (request: object): Promise<void> =>
        new Promise((resolve, reject) => {
          worker.onmessage = ({ data }) => ("error" in data ? reject(new Error(data.error)) : resolve());
          worker.postMessage({ id: 1, ...request });
        });
      const bytes = async (url: string): Promise<ArrayBuffer> => (await fetch(url)).arrayBuffer();
      const runtime = await bytes("ort/ort-wasm-simd-threaded.wasm");
      await call({ kind: "start", backend: "wasm", runtime });
      await call({ kind: "open", session: "decode", model: new Uint8Array(await bytes(file)), keep: [] });
      Object.assign(globalThis, { call });
    },
    { script, file: `models/${model}/${decode.file}` },
  );
  return page;
}

function timeInPage(page: Page, times: number): Promise<number[]> {
  return page.evaluate(
    async ({ shapes, times }) => {
      const { call } = globalThis as unknown as { call: (request: object) => Promise<void> };
      const measured: number[] = [];
      for (let run = 0; run < times; run++) {
        const feeds = Object.fromEntries(
          Object.entries(shapes).map(([name, shape]) => {
            const size = shape.reduce((product, length) => product * length, 1);
            return [
              name,
              { dtype: "float32", shape, data: Float32Array.from({ length: size }, (_, at) => Math.sin(at + 1)) },
            ];
          }),
        );
        const started = performance.now();
        await call({ kind: "run", session: "decode", feeds, load: {}, store: {} });
        measured.push(performance.now() - started);
      }
      return measured;
    },
    { shapes, times },
  );
}

function median(values: readonly number[]): number {
  return spread(values).median;
}

function percentile95(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.ceil(0.95 * values.length) - 1]!;
}
