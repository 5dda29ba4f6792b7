import type { InferenceSession, Tensor, TensorConstructor } from "onnxruntime-common";
import { FailureError, UsageError } from "../schemas/errors.ts";
import type { HostTensor } from "../schemas/tensor.ts";
import { reason } from "./devices.ts";
import { KeptTensor } from "./kept-tensor.ts";
import type { Device, DeviceTensor, Feeds, Session, TensorInfo } from "./session.ts";
import { checkFeeds, describe, toHost, toOrt } from "./tensors.ts";

export interface OrtSessionParts {
  readonly device: Device | "wasm";
  readonly TensorClass: TensorConstructor;
  /** The queue in which this session takes its turns; WebGPU sessions of a process share one. */
  readonly inTurn: <T>(work: () => Promise<T>) => Promise<T>;
  readonly keep: readonly string[];
  /** Brings a kept output to the host. */
  readonly read: (tensor: Tensor) => Promise<HostTensor>;
}

/** The Session face on any of ONNX Runtime's JavaScript bindings. */
export class OrtSession implements Session {
  readonly device: Device | "wasm";
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  readonly #parts: OrtSessionParts;
  readonly #keep: ReadonlySet<string>;
  #native: InferenceSession | undefined;

  /** @throws UsageError when `keep` names an output that the model does not have */
  constructor(native: InferenceSession, parts: OrtSessionParts) {
    this.device = parts.device;
    this.inputs = describe(native.inputMetadata);
    this.outputs = describe(native.outputMetadata);
    this.inputNames = this.inputs.map((input) => input.name);
    this.outputNames = this.outputs.map((output) => output.name);
    const unknown = parts.keep.filter((name) => !this.outputNames.includes(name));
    if (unknown.length > 0) {
      throw new UsageError(
        `Cannot keep outputs on the device: "${unknown.join('", "')}" must be outputs of the model, got ${this.outputNames.join(", ")}`,
      );
    }
    this.#parts = parts;
    this.#keep = new Set(parts.keep);
    this.#native = native;
  }

  async run(feeds: Feeds): Promise<Record<string, HostTensor>> {
    if (this.#keep.size > 0) throw new Error("Cannot run session: with keepOnDevice it must be run by runKeeping");
    return (await this.runKeeping(feeds)).host;
  }

  async runKeeping(feeds: Feeds): Promise<{ host: Record<string, HostTensor>; kept: Record<string, DeviceTensor> }> {
    checkFeeds(feeds, this.inputs, this.device);
    const outputs = await this.#parts.inTurn(() => this.#runNative(feeds));
    const host: Record<string, HostTensor> = {};
    const kept: Record<string, DeviceTensor> = {};
    for (const name of this.outputNames) {
      const tensor = outputs[name] as Tensor;
      if (this.#keep.has(name)) {
        kept[name] = new KeptTensor(tensor, { device: this.device as Device, read: this.#parts.read });
      } else host[name] = toHost(tensor);
    }
    return { host, kept };
  }

  async #runNative(feeds: Feeds): Promise<InferenceSession.ReturnType> {
    if (this.#native === undefined) throw new Error("Cannot run session: it must be open, got a released one");
    const tensors = toOrt(feeds, this.#parts.TensorClass);
    try {
      return await this.#native.run(tensors);
    } catch (cause) {
      throw new FailureError(`Cannot run model on ${this.device}: ${reason(cause)}`, { code: "run_failed", cause });
    }
  }

  release(): Promise<void> {
    return this.#parts.inTurn(async () => {
      const native = this.#native;
      this.#native = undefined;
      await native?.release();
    });
  }
}
