import type { DispatchReason, Duration, ModelStatistics, Outcome } from "./inference-engine.ts";

/** Counts and times of one model version since the start of the server, in the shape of Triton's statistics. */
export class Statistics {
  readonly #name: string;
  readonly #version: string;
  readonly #success = new Total();
  readonly #fail = new Total();
  readonly #queue = new Total();
  readonly #compute = new Computation();
  readonly #bySize = new Map<number, Computation>();
  readonly #outcomes: Record<Outcome, number> = {
    success: 0,
    failure: 0,
    rejected: 0,
    timeout: 0,
    cancelled: 0,
    worker_lost: 0,
  };
  readonly #dispatches: Record<DispatchReason, number> = {
    full: 0,
    preferred: 0,
    delay: 0,
    idle: 0,
    drain: 0,
    share: 0,
  };
  #rows = 0;
  #batches = 0;
  #lastInference = 0;
  pending = 0;

  constructor(name: string, version: string) {
    this.#name = name;
    this.#version = version;
  }

  /** A request has ended. */
  request(outcome: Outcome, { rows, totalMs, queueMs }: { rows: number; totalMs: number; queueMs: number }): void {
    this.#outcomes[outcome]++;
    if (outcome === "success") {
      this.#success.add(totalMs);
      this.#queue.add(queueMs);
      this.#rows += rows;
      this.#lastInference = Date.now();
    } else this.#fail.add(totalMs);
  }

  /** A batch has left the queue. */
  dispatch(reason: DispatchReason): void {
    this.#dispatches[reason]++;
  }

  /** A batch has been computed. */
  batch(size: number, times: BatchTimes): void {
    this.#batches++;
    this.#compute.add(times);
    let own = this.#bySize.get(size);
    if (own === undefined) {
      own = new Computation();
      this.#bySize.set(size, own);
    }
    own.add(times);
  }

  read(): ModelStatistics {
    return {
      name: this.#name,
      version: this.#version,
      lastInference: this.#lastInference,
      inferenceCount: this.#rows,
      executionCount: this.#batches,
      inference: {
        success: this.#success.read(),
        fail: this.#fail.read(),
        queue: this.#queue.read(),
        ...this.#compute.read(),
      },
      batches: [...this.#bySize]
        .sort(([one], [other]) => one - other)
        .map(([batchSize, computation]) => ({ batchSize, ...computation.read() })),
      outcomes: { ...this.#outcomes },
      dispatches: { ...this.#dispatches },
      pending: this.pending,
    };
  }
}

/** Of one batch, ms. */
export interface BatchTimes {
  readonly inputMs: number;
  readonly inferMs: number;
  readonly outputMs: number;
}

class Total {
  #count = 0;
  #ms = 0;

  add(ms: number): void {
    this.#count++;
    this.#ms += ms;
  }

  read(): Duration {
    return { count: this.#count, ns: Math.round(this.#ms * 1e6) };
  }
}

class Computation {
  readonly #input = new Total();
  readonly #infer = new Total();
  readonly #output = new Total();

  add({ inputMs, inferMs, outputMs }: BatchTimes): void {
    this.#input.add(inputMs);
    this.#infer.add(inferMs);
    this.#output.add(outputMs);
  }

  read(): { computeInput: Duration; computeInfer: Duration; computeOutput: Duration } {
    return { computeInput: this.#input.read(), computeInfer: this.#infer.read(), computeOutput: this.#output.read() };
  }
}
