import { setTimeout as sleep } from "node:timers/promises";
import type { ServedBundle } from "./served-bundle.ts";

/** How long a state of a bundle that was replaced or unloaded may take to finish its requests, and those of its pins. */
const retireMs = 60_000;

/** States of bundles that nobody can ask any more, until they have finished their requests and ended their workers. */
export class Retired {
  readonly #states = new Map<ServedBundle, Promise<void>>();

  /** Resolves when its workers have ended. @param stopMs how long they may take for the batch at hand */
  add(served: ServedBundle, stopMs: number): Promise<void> {
    const limit = new AbortController();
    const retired = Promise.race([served.drain(), sleep(retireMs, undefined, { signal: limit.signal, ref: false })])
      .then(() => limit.abort())
      .then(() => served.stop(stopMs))
      .finally(() => this.#states.delete(served));
    this.#states.set(served, retired);
    return retired;
  }

  /** Resolves when none is left of those that are there now. */
  async ended(): Promise<void> {
    await Promise.all(this.#states.values());
  }

  /** Ends their workers, whatever they still have to do. */
  async stop(graceMs: number): Promise<void> {
    await Promise.all([...this.#states.keys()].map((served) => served.stop(graceMs)));
  }
}
