import type { Tensor } from "onnxruntime-common";
import type { Dtype, HostTensor } from "../schemas/tensor.ts";
import type { Device, DeviceTensor } from "./session.ts";

/** The one implementation of DeviceTensor: an ONNX Runtime tensor that this room alone may look into. */
export class KeptTensor implements DeviceTensor {
  readonly device: Device;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  #value: Tensor | undefined;
  readonly #read: (tensor: Tensor) => Promise<HostTensor>;

  constructor(value: Tensor, { device, read }: { device: Device; read: (tensor: Tensor) => Promise<HostTensor> }) {
    this.device = device;
    this.dtype = value.type as Dtype;
    this.shape = value.dims;
    this.#value = value;
    this.#read = read;
  }

  get value(): Tensor {
    if (this.#value === undefined) throw new Error("Cannot use device tensor: it must be alive, got a disposed one");
    return this.#value;
  }

  /** Why a session on `device` cannot take this tensor, if it cannot. */
  faultFor(device: Device | "wasm"): string | undefined {
    if (this.#value === undefined) return "must be a live device tensor, got a disposed one";
    return this.device === device ? undefined : `must be on ${device}, got a tensor on ${this.device}`;
  }

  read(): Promise<HostTensor> {
    return this.#read(this.value);
  }

  dispose(): void {
    this.#value?.dispose();
    this.#value = undefined;
  }
}
