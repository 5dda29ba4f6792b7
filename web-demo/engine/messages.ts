import type { HostTensor } from "../../schemas/tensor.ts";

/** What the page and its worker say to each other. The worker knows sessions and tensors, nothing of models. */

export type Backend = "webgpu" | "wasm";

export type Feeds = Readonly<Record<string, HostTensor>>;

export type Request =
  | { readonly kind: "start"; readonly backend: Backend; readonly runtime: ArrayBuffer }
  /** `keep`: outputs that stay with the worker (on the GPU, where it runs there) and are named by `store` of a run. */
  | { readonly kind: "open"; readonly session: string; readonly model: Uint8Array; readonly keep: readonly string[] }
  | {
      readonly kind: "run";
      readonly session: string;
      readonly feeds: Feeds;
      /** Inputs taken from slots: input name to slot. */
      readonly load: Readonly<Record<string, string>>;
      /** Outputs put into slots instead of sent back: output name to slot. */
      readonly store: Readonly<Record<string, string>>;
    }
  /** Fills slots: tensors that the worker holds between runs, for instance the weights of a model in training. */
  | { readonly kind: "put"; readonly values: ReadonlyMap<string, HostTensor> }
  | { readonly kind: "read"; readonly slots: readonly string[] }
  | { readonly kind: "close"; readonly session: string };

export type Call = Request & { readonly id: number };

export interface RunResult {
  readonly outputs: Readonly<Record<string, HostTensor>>;
  /** Milliseconds inside ONNX Runtime. */
  readonly ms: number;
}

export type Reply =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string }
  /** Unasked: the GPU is gone, and with it everything that was opened. */
  | { readonly lost: string };
