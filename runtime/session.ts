import type { Dtype, HostTensor } from "../schemas/tensor.ts";

/** ONNX Runtime behind one small face; knows nothing of models. Used by train, export's checks and serve. */

export type Device = "cpu" | "webgpu" | "cuda";

export interface SessionOptions {
  /** Default: `cpu`. A device that cannot start is a FailureError, never a silent fallback. */
  readonly device?: Device;
  /** Threads inside an operator; default: all cores. */
  readonly threads?: number;
  /** Graph optimisation: `all` is ONNX Runtime's default, `basic` keeps the arithmetic closest to the file. */
  readonly optimization?: "disabled" | "basic" | "extended" | "all";
  /** Whether freed memory is kept for the next run (default) or returned; the arena grows with every new shape. */
  readonly arena?: boolean;
  /** Raw session configuration entries, for instance `{ "session.disable_prepacking": "1" }`. */
  readonly config?: Readonly<Record<string, string>>;
  /** Names of outputs that stay on the device and are fed back as inputs; such a session is run by `runKeeping`. */
  readonly keepOnDevice?: readonly string[];
}

/** One input or output as the file declares it. A string in `shape` is a symbolic size, `undefined` shape: any. */
export interface TensorInfo {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly (number | string)[] | undefined;
}

/**
 * An output that stayed on the device of its session. Feed it to any session of the same device, any number of times.
 * On `cpu` and `cuda` it is host memory under the same face (the Node binding has no CUDA binding), so an engine needs
 * one code path. Its memory is freed by `dispose`, not by the garbage collector.
 */
export interface DeviceTensor {
  readonly device: Device;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Copies the values to host memory; the tensor stays usable. */
  read(): Promise<HostTensor>;
  dispose(): void;
}

export type Feeds = Readonly<Record<string, HostTensor | DeviceTensor>>;

export interface Session {
  /** The provider that really runs: checked once per process with a probe that forbids CPU fallback. */
  readonly device: Device | "wasm";
  readonly inputs: readonly TensorInfo[];
  readonly outputs: readonly TensorInfo[];
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /**
   * Runs in turn: a second call waits for the first. Blocks the event loop of its thread while it computes.
   *
   * @throws UsageError that lists every missing, unknown, wrong-typed and wrong-shaped input
   * @throws FailureError when ONNX Runtime fails
   */
  run(feeds: Feeds): Promise<Record<string, HostTensor>>;
  /** Like `run` for a session with `keepOnDevice`: those outputs come back in `kept`, and the caller disposes them. */
  runKeeping(feeds: Feeds): Promise<{ host: Record<string, HostTensor>; kept: Record<string, DeviceTensor> }>;
  release(): Promise<void>;
}
