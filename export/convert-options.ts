import { UsageError } from "../schemas/errors.ts";
import { opset } from "./finish.ts";

/** Options of `convert` that its verb and its function check; loads no tfjs, which `cominfo --help` should not. */

/** The proof runs eager tfjs on whole batches: above it, a fixed size is a slip of the hand. */
export const largestBatch = 65_536;

export const batchRule = `dynamic or a whole number from 1 to ${largestBatch}`;

export function isBatch(batch: "dynamic" | number): boolean {
  return batch === "dynamic" || (Number.isSafeInteger(batch) && batch >= 1 && batch <= largestBatch);
}

/** `--batch`. @throws UsageError */
export function parseBatch(text: string): "dynamic" | number {
  const batch = text === "dynamic" ? text : /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (isBatch(batch)) return batch;
  throw new UsageError(`Cannot convert: --batch must be ${batchRule}, got "${text}"`);
}

/** `--opset`. @throws UsageError */
export function parseOpset(text: string): number {
  if (text === String(opset)) return opset;
  throw new UsageError(`Cannot convert: --opset must be ${opset}, got "${text}"`);
}
