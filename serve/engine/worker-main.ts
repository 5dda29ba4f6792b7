import { type OnReadOpts, Socket, type SocketConstructorOpts } from "node:net";
import { createSession } from "../../runtime/create-session.ts";
import { startDevice } from "../../runtime/devices.ts";
import type { Device, Session, TensorInfo } from "../../runtime/session.ts";
import { FailureError } from "../../schemas/errors.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import { elementCount, type HostTensor, type TensorData } from "../../schemas/tensor.ts";
import { encodeFrame, type Frame, FrameMemory, FrameReader } from "./frames.ts";
import {
  batchesAtOnce,
  type FromWorker,
  type ToWorker,
  toFault,
  type WorkerModel,
  type WorkerSettings,
} from "./messages.ts";
import { readModelFile } from "./model-file.ts";

/** Entry of a worker process: holds the sessions of a bundle and blocks while they compute, so that the server does not. */

const sessions = new Map<string, Session>();

// A terminal sends its signals to every process of the group. This one lives as long as its parent keeps the channel
// open: the parent decides whether the work at hand is finished first.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
/** One after the other, so that the time of a batch is its own. */
let work = Promise.resolve();
const reader = new FrameReader<ToWorker>((frame) => {
  work = work.then(() => handle(frame));
}, new FrameMemory(batchesAtOnce));
// The types do not know `onread` here.
const pipe: SocketConstructorOpts & { readonly onread: OnReadOpts } = {
  fd: 3,
  readable: true,
  writable: true,
  allowHalfOpen: true, // what was given before the end is still answered
  // Straight to where a batch is put together, where Node would read 64 KB at a time into memory of its own.
  onread: {
    buffer: () => reader.room,
    callback: (bytes) => {
      reader.filled(bytes);
      return true;
    },
  },
};
const channel = new Socket(pipe);
channel.on("error", () => process.exit(0)); // the parent is gone
channel.on("end", () => void work.then(() => channel.end()));
channel.on("close", () => process.exit(0));

function reply(message: FromWorker, outputs: Readonly<Record<string, HostTensor>> = {}): void {
  const tensors = Object.entries(outputs).map(
    ([name, { dtype, shape, data }]) => [name, { dtype, shape, pieces: [data] }] as const,
  );
  channel.write(encodeFrame(message, Object.fromEntries(tensors)));
}

async function handle({ message, tensors }: Frame<ToWorker>): Promise<void> {
  if (message.kind === "start") {
    try {
      reply({ kind: "started", device: await start(message.settings) });
    } catch (error) {
      reply({ kind: "refused", fault: toFault(error) });
    }
    return;
  }
  const { run, model, outputs } = message;
  try {
    const began = performance.now();
    const all = await sessions.get(model)!.run(tensors);
    const computeMs = performance.now() - began;
    reply({ kind: "answer", run, computeMs }, Object.fromEntries(outputs.map((name) => [name, all[name]!])));
  } catch (error) {
    reply({ kind: "fault", run, fault: toFault(error) });
  }
}

/** Loads and warms every model: once this process says "started", no request waits for a compilation. */
async function start({ device: wanted, threads, models }: WorkerSettings): Promise<Device> {
  const device = await firstThatStarts(wanted);
  for (const model of models) sessions.set(model.id, await load(model, { device, threads }));
  return device;
}

async function firstThatStarts(wanted: Device | "auto"): Promise<Device> {
  if (wanted !== "auto") {
    await startDevice(wanted);
    return wanted;
  }
  for (const device of ["cuda", "webgpu"] as const) {
    const started = await startDevice(device).then(
      () => true,
      () => false,
    );
    if (started) return device;
  }
  return "cpu";
}

async function load(model: WorkerModel, options: { device: Device; threads: number }): Promise<Session> {
  // The bytes that were hashed are the bytes that run, even if the file changes meanwhile.
  const bytes = await readModelFile(model.file, { sha256: model.sha256, label: `the file of ${model.id}` });
  const session = await createSession(bytes, options);
  requireAgreement(model, session);
  await session.run(Object.fromEntries(model.inputs.map((spec) => [spec.name, zeros(spec)])));
  return session;
}

/** The server checks requests against the manifest, so the file must say the same. */
function requireAgreement({ id, inputs, outputs }: WorkerModel, session: Session): void {
  const declared = (specs: readonly TensorSpec[]) =>
    specs.map(({ name, dtype, shape }) =>
      show(
        name,
        dtype,
        shape.map((size) => (size === -1 ? "n" : String(size))),
      ),
    );
  const actual = (infos: readonly TensorInfo[]) =>
    infos.map(({ name, dtype, shape = [] }) =>
      show(
        name,
        dtype,
        shape.map((size) => (typeof size === "string" ? "n" : String(size))),
      ),
    );
  const pairs = [
    [declared(inputs), actual(session.inputs)],
    [declared(outputs), actual(session.outputs)],
  ] as const;
  for (const [wanted, got] of pairs) {
    if (wanted.toSorted().join() !== got.toSorted().join()) {
      throw new FailureError(
        `Cannot load model "${id}": its file must have ${wanted.join(", ")} as its manifest says, got ${got.join(", ")}`,
        { code: "bad_bundle" },
      );
    }
  }
}

function show(name: string, dtype: string, shape: readonly string[]): string {
  return `${name} ${dtype}[${shape.join(", ")}]`;
}

/** One row of zeros: makes ONNX Runtime allocate, and WebGPU compile its shaders, before the first answer is timed. */
function zeros({ dtype, shape: declared }: TensorSpec): HostTensor {
  const shape = declared.map((size) => Math.abs(size));
  const count = elementCount(shape);
  const made: Record<HostTensor["dtype"], () => TensorData> = {
    float32: () => new Float32Array(count),
    int32: () => new Int32Array(count),
    uint8: () => new Uint8Array(count),
    bool: () => new Uint8Array(count),
    int64: () => new BigInt64Array(count),
  };
  return { dtype, shape, data: made[dtype]() };
}
