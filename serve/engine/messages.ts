import type { Device } from "../../runtime/session.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";

/** What the server and a worker process say to each other; tensors travel beside these, in the same frame. */

/**
 * Batches that a worker has: the one that it computes, and one that it goes on with while the server is still busy with
 * the answers of the first.
 */
export const batchesAtOnce = 2;

export interface WorkerModel {
  /** Its name between the two processes. */
  readonly id: string;
  readonly file: string;
  readonly sha256: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
}

export interface WorkerSettings {
  /** `auto`: the first of cuda, webgpu and cpu that starts. */
  readonly device: Device | "auto";
  /** Threads inside an operator. */
  readonly threads: number;
  /** Added to the server's own. */
  readonly niceness: number;
  readonly models: readonly WorkerModel[];
}

export type ToWorker =
  | { readonly kind: "start"; readonly settings: WorkerSettings }
  | { readonly kind: "run"; readonly run: number; readonly model: string; readonly outputs: readonly string[] };

export type FromWorker =
  | { readonly kind: "started"; readonly device: Device }
  | { readonly kind: "refused"; readonly fault: Fault }
  | { readonly kind: "answer"; readonly run: number; readonly computeMs: number }
  | { readonly kind: "fault"; readonly run: number; readonly fault: Fault };

/** An error in a form that survives the way between processes with its class. */
export interface Fault {
  readonly kind: "usage" | "failure" | "defect";
  readonly message: string;
  readonly code: string;
  readonly path: readonly (string | number)[];
  readonly stack?: string;
}

export function toFault(error: unknown): Fault {
  if (error instanceof UsageError) {
    return { kind: "usage", message: error.message, code: error.code, path: error.path };
  }
  if (error instanceof FailureError) {
    return { kind: "failure", message: error.message, code: error.code, path: [] };
  }
  const { message, stack = message } = error instanceof Error ? error : new Error(String(error));
  return { kind: "defect", message, code: "internal", path: [], stack };
}

export function fromFault({ kind, message, code, path, stack }: Fault): Error {
  if (kind === "usage") return new UsageError(message, { code, path });
  if (kind === "failure") return new FailureError(message, { code });
  const error = new Error(message);
  if (stack !== undefined) error.stack = stack;
  return error;
}
