import { parentPort, workerData } from "node:worker_threads";

/**
 * Entry of the load process's clock: a message whenever a request is due. A thread that sleeps in `Atomics.wait` wakes
 * within 0.1 ms, where Node's timers know whole milliseconds only.
 */

/** Requests that are closer together are told of in one message. */
const leastMs = 0.5;

const everyMs = Math.max(leastMs, (workerData as { everyMs: number }).everyMs);
const never = new Int32Array(new SharedArrayBuffer(4));
for (let next = performance.now(); ; next += everyMs) {
  const left = next - performance.now();
  if (left > 0) Atomics.wait(never, 0, 0, left);
  parentPort!.postMessage(undefined);
}
