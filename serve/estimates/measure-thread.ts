import { Worker } from "node:worker_threads";
import { builtFile } from "../../files/built-file.ts";
import { UsageError } from "../../schemas/errors.ts";
import type { DiscreteRequest } from "../../schemas/estimates.ts";
import { HttpError, unavailable } from "../http-error.ts";
import { type MeasureInput, measure, measureTable } from "./measure.ts";

/** Measures away from the thread that answers requests; a thread that takes too long is ended. */

export type MeasureWork =
  | { readonly kind: "codes"; readonly input: MeasureInput }
  | { readonly kind: "table"; readonly table: DiscreteRequest };

export type MeasureAnswer =
  | { readonly kind: "value"; readonly value: unknown }
  | { readonly kind: "refused"; readonly message: string };

/** In the thread. Functions of `information` refuse their inputs with RangeError; anything else is a defect. */
export function toAnswer(work: MeasureWork): MeasureAnswer {
  try {
    return { kind: "value", value: work.kind === "codes" ? measure(work.input) : measureTable(work.table) };
  } catch (error) {
    if (error instanceof RangeError) return { kind: "refused", message: error.message };
    throw error;
  }
}

export class MeasureThreads {
  readonly #limitMs: number;
  readonly #most: number;
  readonly #running = new Set<Worker>();

  /** @param most threads at a time; one more is refused with 503 */
  constructor({ limitMs = 60_000, most = 2 }: { limitMs?: number; most?: number } = {}) {
    this.#limitMs = limitMs;
    this.#most = most;
  }

  /**
   * @throws UsageError for inputs that cannot be measured
   * @throws HttpError 503 when too much is being measured, 504 when it took too long, 499 when `signal` was aborted
   */
  async run(work: MeasureWork, signal: AbortSignal): Promise<unknown> {
    if (this.#running.size >= this.#most) {
      throw unavailable(`Cannot measure: at most ${this.#most} at a time, got one more`, "busy");
    }
    signal.throwIfAborted();
    const worker = new Worker(builtFile("serve/estimates/measure-main"));
    this.#running.add(worker);
    try {
      const answer = await new Promise<MeasureAnswer>((resolve, reject) => {
        const timer = setTimeout(() => reject(tooSlow(this.#limitMs)), this.#limitMs);
        const gone = () =>
          reject(new HttpError("Cannot measure: the client is gone", { status: 499, code: "cancelled" }));
        const settle = () => {
          clearTimeout(timer);
          signal.removeEventListener("abort", gone);
        };
        signal.addEventListener("abort", gone);
        worker.once("message", resolve).once("error", reject);
        worker.once("exit", (code) => {
          settle();
          reject(new Error(`Cannot measure: the thread must answer, got exit code ${code}`));
        });
        worker.postMessage(work);
      });
      if (answer.kind === "refused") throw new UsageError(answer.message, { code: "bad_inputs" });
      return answer.value;
    } finally {
      this.#running.delete(worker);
      await worker.terminate();
    }
  }
}

function tooSlow(limitMs: number): HttpError {
  return new HttpError(
    `Cannot measure: it must take at most ${limitMs / 1000} s, got more; send fewer rows or symbols`,
    {
      status: 504,
      code: "deadline",
    },
  );
}
