import type * as Ort from "onnxruntime-web";
import type { Dtype, HostTensor, TensorData } from "../../schemas/tensor.ts";
import type { Backend, Call, Reply, Request, RunResult } from "./messages.ts";

/** The page's one worker: ONNX Runtime Web, its sessions, and tensors that stay here between runs. */

type Tensor = Ort.Tensor;

let ort: typeof Ort | undefined;
let backend: Backend = "wasm";
let watched = false;
const sessions = new Map<string, Ort.InferenceSession>();
const slots = new Map<string, Tensor>();

async function start(chosen: Backend, runtime: ArrayBuffer): Promise<string> {
  backend = chosen;
  const loaded = backend === "webgpu" ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web/wasm");
  loaded.env.wasm.wasmBinary = runtime;
  loaded.env.wasm.numThreads = 1; // threads need headers that a plain static host does not send
  loaded.env.logLevel = "error";
  ort = loaded;
  return loaded.env.versions.web ?? "";
}

/** Tells the page when the runtime's GPU device, which it makes with the first session, is lost. */
async function watchDevice({ webgpu }: Ort.Env): Promise<void> {
  if (watched || backend !== "webgpu") return;
  watched = true;
  const { message, reason } = await (await webgpu.device).lost;
  answer({ lost: message || reason });
}

async function open({ session, model, keep }: Request & { kind: "open" }): Promise<void> {
  const location = Object.fromEntries(keep.map((name) => [name, "gpu-buffer" as const]));
  const opened = await runtime().InferenceSession.create(model, {
    executionProviders: [backend],
    logSeverityLevel: 3, // errors: that shape arithmetic stays on the CPU is no news
    ...(backend === "webgpu" && keep.length > 0 ? { preferredOutputLocation: location } : {}),
  });
  await sessions.get(session)?.release();
  sessions.set(session, opened);
  void watchDevice(runtime().env);
}

async function run({ session, feeds, load, store }: Request & { kind: "run" }): Promise<RunResult> {
  const opened = sessions.get(session);
  if (opened === undefined) throw new Error(`Cannot run "${session}": it must be open`);
  const inputs: Record<string, Tensor> = {};
  for (const [name, tensor] of Object.entries(feeds)) inputs[name] = toOrt(tensor);
  for (const [name, slot] of Object.entries(load)) inputs[name] = filled(slot);
  const began = performance.now();
  const results = await opened.run(inputs);
  const outputs: Record<string, HostTensor> = {};
  for (const [name, tensor] of Object.entries(results)) {
    const slot = store[name];
    if (slot !== undefined) replace(slot, tensor);
    else outputs[name] = await toHost(tensor);
  }
  return { outputs, ms: performance.now() - began };
}

async function read(wanted: readonly string[]): Promise<Map<string, HostTensor>> {
  const values = new Map<string, HostTensor>();
  for (const slot of wanted) values.set(slot, await toHost(filled(slot)));
  return values;
}

async function handle(request: Request): Promise<unknown> {
  switch (request.kind) {
    case "start":
      return start(request.backend, request.runtime);
    case "open":
      return open(request);
    case "run":
      return run(request);
    case "put":
      for (const [slot, tensor] of request.values) replace(slot, toOrt(tensor));
      return undefined;
    case "read":
      return read(request.slots);
    case "close":
      await sessions.get(request.session)?.release();
      sessions.delete(request.session);
      return undefined;
  }
}

function runtime(): typeof Ort {
  if (ort === undefined) throw new Error("the runtime has not been started");
  return ort;
}

function filled(slot: string): Tensor {
  const tensor = slots.get(slot);
  if (tensor === undefined) throw new Error(`Cannot read slot "${slot}": it must be filled`);
  return tensor;
}

/** Frees the old value at once: GPU memory is not the garbage collector's. */
function replace(slot: string, tensor: Tensor): void {
  slots.get(slot)?.dispose();
  slots.set(slot, tensor);
}

function toOrt({ dtype, shape, data }: HostTensor): Tensor {
  const { Tensor: TensorClass } = runtime() as unknown as { Tensor: new (...parts: unknown[]) => Tensor };
  return new TensorClass(dtype, data, shape);
}

async function toHost(tensor: Tensor): Promise<HostTensor> {
  const data = (await tensor.getData()) as TensorData;
  return { dtype: tensor.type as Dtype, shape: tensor.dims, data };
}

// The compiler's library is the page's; a worker has these two of it under other types.
const scope = globalThis as unknown as {
  postMessage(reply: Reply): void;
  onmessage: ((event: MessageEvent<Call>) => void) | null;
};

function answer(reply: Reply): void {
  scope.postMessage(reply);
}

/** One request at a time: a web session refuses a second run while the first is in flight. */
let turn: Promise<unknown> = Promise.resolve();
scope.onmessage = ({ data: { id, ...request } }) => {
  turn = turn
    .then(() => handle(request))
    .then(
      (value) => answer({ id, value }),
      (error: unknown) => answer({ id, error: error instanceof Error ? error.message : String(error) }),
    );
};
