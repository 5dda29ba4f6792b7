import { setTimeout as sleep } from "node:timers/promises";
import { FailureError } from "../../schemas/errors.ts";
import { HttpError } from "../http-error.ts";

/** Work that nobody waits for outlasts what passes: a lost worker, a full queue, a reload. */

/** Rejects when `signal` is aborted. */
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

export const pause: Pause = (ms, signal) => sleep(ms, undefined, { signal, ref: false });

/** With pauses of 0.5 s, each twice the one before up to 30 s: five minutes in all. */
const mostAttempts = 16;

/**
 * Does `work` until it succeeds.
 *
 * @param passes whether an error may be gone later; any other is thrown at once
 * @throws FailureError after `mostAttempts`, with the last error
 */
export async function patiently<T>(
  work: () => Promise<T>,
  { signal, passes, pause }: { signal: AbortSignal; passes: (error: unknown) => boolean; pause: Pause },
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (error) {
      if (signal.aborted || !passes(error)) throw error;
      if (attempt === mostAttempts) {
        const last = (error as Error).message;
        throw new FailureError(
          `Cannot estimate: gave up after ${mostAttempts} attempts, the last one ended with: ${last}`,
          {
            cause: error,
          },
        );
      }
      await pause(Math.min(30_000, 500 * 2 ** (attempt - 1)), signal);
    }
  }
}

/** A batch may succeed on the same state of the bundle; on one that has been stopped (`stopping`) it never will. */
export function batchMayPass(error: unknown): boolean {
  return error instanceof HttpError && [429, 503, 504].includes(error.status) && error.code !== "stopping";
}

/**
 * A whole estimate, begun anew, may succeed on what is served then: 404 is a bundle or version between two states. What
 * took too long to be measured (`deadline`) would do so again.
 */
export function estimateMayPass(error: unknown): boolean {
  return error instanceof HttpError && [404, 429, 503, 504].includes(error.status) && error.code !== "deadline";
}
