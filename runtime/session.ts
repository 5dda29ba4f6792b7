import type { HostTensor } from "../schemas/tensor.ts";

/** ONNX Runtime behind one small face; knows nothing of models. Used by train, export's checks and serve. */

export type Device = "cpu" | "webgpu" | "cuda";

export interface SessionOptions {
  readonly device?: Device;
  /** Threads inside an operator; default: all cores. */
  readonly threads?: number;
  /** Names of outputs that stay on the device and are fed back as inputs (WebGPU only). */
  readonly keepOnDevice?: readonly string[];
}

export interface Session {
  readonly device: Device;
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  run(feeds: Readonly<Record<string, HostTensor>>): Promise<Record<string, HostTensor>>;
  release(): Promise<void>;
}
