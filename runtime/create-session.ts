import { stat } from "node:fs/promises";
import { availableParallelism } from "node:os";
import type { InferenceSession, Tensor } from "onnxruntime-common";
import { FailureError, UsageError } from "../schemas/errors.ts";
import type { Dtype, HostTensor } from "../schemas/tensor.ts";
import { reason, startDevice } from "./devices.ts";
import { createTurns } from "./in-turn.ts";
import { KeptTensor } from "./kept-tensor.ts";
import { loadOnnxRuntime } from "./onnxruntime.ts";
import { OrtSession } from "./ort-session.ts";
import type { Session, SessionOptions } from "./session.ts";
import { identityModel } from "./small-models.ts";
import { toHost } from "./tensors.ts";

/** Two WebGPU runs at once crash the process (microsoft/onnxruntime #32561), whichever sessions they belong to. */
const webgpuTurns = createTurns();

/**
 * Opens an ONNX model on one device.
 *
 * `run` and this function block the event loop of their thread while native code works: a server calls them in a
 * process of their own.
 *
 * @param model the bytes of the file, or its path
 * @throws FailureError when the file cannot be read or is not a valid model, or the device cannot start
 * @throws UsageError for a thread count that is not a positive integer, or an unknown output in `keepOnDevice`
 */
export async function createSession(model: Uint8Array | string, options: SessionOptions = {}): Promise<Session> {
  const { device = "cpu", keepOnDevice: keep = [] } = options;
  const native = nativeOptions(options);
  if (typeof model === "string") await requireFile(model);
  await startDevice(device);
  const { InferenceSession, Tensor } = await loadOnnxRuntime();
  const inTurn = device === "webgpu" ? webgpuTurns : createTurns();
  // One signature at a time: `create` has an overload for each.
  const open = () =>
    typeof model === "string" ? InferenceSession.create(model, native) : InferenceSession.create(model, native);
  let session: InferenceSession;
  try {
    session = await inTurn(open);
  } catch (cause) {
    const what = typeof model === "string" ? `model "${model}"` : "model";
    throw new FailureError(`Cannot open ${what} on ${device}: ${reason(cause)}`, { code: "bad_model", cause });
  }
  const read = device === "webgpu" ? readBack : async (tensor: Tensor) => copyOf(toHost(tensor));
  try {
    return new OrtSession(session, { device, TensorClass: Tensor, inTurn, keep, read });
  } catch (error) {
    await session.release();
    throw error;
  }
}

/**
 * Threads wait for work asleep, not in a loop. On two cores of a shared machine a training step of 65 ms takes 75 ms so
 * when nobody else computes, and 90 instead of 230 ms when somebody does: a loop holds the core that the other half of
 * the operator waits for.
 */
const sharedMachine = { "session.intra_op.allow_spinning": "0" };

function nativeOptions(options: SessionOptions): InferenceSession.SessionOptions {
  const { device = "cpu", threads = availableParallelism(), keepOnDevice = [] } = options;
  if (!Number.isInteger(threads) || threads < 1) {
    throw new UsageError(`Cannot open model: threads must be a positive integer, got ${threads}`);
  }
  return {
    executionProviders: [device],
    // Both explicit: in a container with a CPU set ONNX Runtime's own guess oversubscribes (#8313).
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: "sequential",
    graphOptimizationLevel: options.optimization ?? "all",
    enableCpuMemArena: options.arena ?? true,
    logSeverityLevel: 4, // every error also arrives as an exception, and is printed once by whoever handles it
    extra: { ...sharedMachine, ...options.config },
    ...(device === "webgpu" && keepOnDevice.length > 0
      ? { preferredOutputLocation: Object.fromEntries(keepOnDevice.map((name) => [name, "gpu-buffer" as const])) }
      : {}),
  };
}

async function requireFile(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined);
  if (found?.isFile() !== true) {
    const actual = found === undefined ? "nothing there" : "something else";
    throw new FailureError(`Cannot open model: "${file}" must be a file, got ${actual}`, { code: "no_file" });
  }
}

const readers = new Map<Dtype, Promise<Session>>();

/**
 * Reads a GPU tensor through an identity graph with a CPU output: the binding's own `getData` aborts the process
 * (1.30, `terminate called after throwing an instance of 'char const*'`).
 */
async function readBack(tensor: Tensor): Promise<HostTensor> {
  const dtype = tensor.type as Dtype;
  let reader = readers.get(dtype);
  if (reader === undefined) {
    reader = createSession(identityModel(dtype), { device: "webgpu", threads: 1 });
    readers.set(dtype, reader);
  }
  const session = await reader;
  const x = new KeptTensor(tensor, { device: "webgpu", read: readBack });
  return (await session.run({ x })).y!;
}

function copyOf(tensor: HostTensor): HostTensor {
  return { ...tensor, data: tensor.data.slice() };
}
