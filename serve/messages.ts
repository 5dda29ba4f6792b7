import type { Device } from "../runtime/session.ts";
import { FailureError, UsageError } from "../schemas/errors.ts";
import type { TensorSpec } from "../schemas/manifest.ts";
import type { HostTensor } from "../schemas/tensor.ts";

/** What the HTTP process and its worker process say to each other, by structured clone. */

export interface WorkerModel {
  readonly name: string;
  readonly file: string;
  readonly sha256: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

export interface WorkerSettings {
  readonly device: Device;
  /** Threads inside an operator; undefined: all cores. */
  readonly threads: number | undefined;
  readonly models: readonly WorkerModel[];
}

export type ToWorker =
  | { readonly kind: "start"; readonly settings: WorkerSettings }
  | {
      readonly kind: "run";
      readonly id: number;
      readonly model: string;
      readonly inputs: Readonly<Record<string, HostTensor>>;
      readonly outputs: readonly string[];
    };

export type FromWorker =
  | { readonly kind: "started" }
  | { readonly kind: "refused"; readonly fault: Fault }
  | { readonly kind: "answer"; readonly id: number; readonly outputs: Readonly<Record<string, HostTensor>> }
  | { readonly kind: "fault"; readonly id: number; readonly fault: Fault };

/** An error in a form that survives the way between processes with its class. */
export interface Fault {
  readonly kind: "usage" | "failure" | "defect";
  readonly message: string;
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly stack: string | undefined;
}

export function toFault(error: unknown): Fault {
  if (error instanceof UsageError) {
    return { kind: "usage", message: error.message, code: error.code, path: error.path, stack: undefined };
  }
  if (error instanceof FailureError) {
    return { kind: "failure", message: error.message, code: error.code, path: [], stack: undefined };
  }
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  return { kind: "defect", message, code: "internal", path: [], stack };
}

export function fromFault({ kind, message, code, path, stack }: Fault): Error {
  if (kind === "usage") return new UsageError(message, { code, path });
  if (kind === "failure") return new FailureError(message, { code });
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
