import { createSession } from "../runtime/create-session.ts";
import { startDevice } from "../runtime/devices.ts";
import type { Session, TensorInfo } from "../runtime/session.ts";
import { FailureError } from "../schemas/errors.ts";
import type { TensorSpec } from "../schemas/manifest.ts";
import { elementCount, type HostTensor, type TensorData } from "../schemas/tensor.ts";
import { type FromWorker, type ToWorker, toFault, type WorkerModel, type WorkerSettings } from "./messages.ts";
import { readModelFile } from "./model-file.ts";

/** Entry of the worker process: holds the sessions and blocks while they compute, so that the HTTP process does not. */

let settings: WorkerSettings | undefined;
const sessions = new Map<string, Promise<Session>>();

// A terminal sends its signals to every process of the group. This one lives as long as its parent keeps the channel
// open: the parent decides whether the work at hand is finished first.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => undefined);
process.on("disconnect", () => process.exit(0));
process.on("message", (message: ToWorker) => void handle(message).then(reply));

function reply(message: FromWorker): void {
  // The callback takes the error of a parent that is gone; "disconnect" ends this process then.
  if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
}

async function handle(message: ToWorker): Promise<FromWorker> {
  if (message.kind === "start") {
    settings = message.settings;
    try {
      await startDevice(settings.device);
      return { kind: "started" };
    } catch (error) {
      return { kind: "refused", fault: toFault(error) };
    }
  }
  const { id, model, inputs, outputs } = message;
  try {
    const all = await (await open(model)).run(inputs);
    return { kind: "answer", id, outputs: Object.fromEntries(outputs.map((name) => [name, all[name]!])) };
  } catch (error) {
    return { kind: "fault", id, fault: toFault(error) };
  }
}

/** The session of a model: loaded and warmed at its first request. A load that failed is tried anew at the next. */
function open(name: string): Promise<Session> {
  let session = sessions.get(name);
  if (session === undefined) {
    session = load(name);
    sessions.set(name, session);
    session.catch(() => sessions.delete(name));
  }
  return session;
}

async function load(name: string): Promise<Session> {
  const model = settings?.models.find((candidate) => candidate.name === name);
  if (settings === undefined || model === undefined) throw new Error(`Cannot load model: "${name}" must be known`);
  const { device, threads } = settings;
  // The bytes that were hashed are the bytes that run, even if the file changes meanwhile.
  const bytes = await readModelFile(model.file, { sha256: model.sha256, label: `the file of ${name}` });
  const session = await createSession(bytes, { device, ...(threads === undefined ? {} : { threads }) });
  try {
    requireAgreement(model, session);
    await session.run(Object.fromEntries(model.inputs.map((spec) => [spec.name, zeros(spec)])));
    return session;
  } catch (error) {
    await session.release();
    throw error;
  }
}

/** The HTTP process checks requests against the manifest, so the file must say the same. */
function requireAgreement({ name, inputs, outputs }: WorkerModel, session: Session): void {
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
        `Cannot load model "${name}": its file must have ${wanted.join(", ")} as its manifest says, got ${got.join(", ")}`,
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
  const arrays: Record<HostTensor["dtype"], () => TensorData> = {
    float32: () => new Float32Array(count),
    int32: () => new Int32Array(count),
    uint8: () => new Uint8Array(count),
    bool: () => new Uint8Array(count),
    int64: () => new BigInt64Array(count),
  };
  return { dtype, shape, data: arrays[dtype]() };
}
