import * as tf from "@tensorflow/tfjs-core";
import "./tfjs-setup.ts";

/** Which backend tfjs computes on. It is one for the whole process, so that who changes it puts it back. */

/** The name of the backend in use. tfjs chooses one on first use: before that, `tf.getBackend()` is undefined. */
export function backendInUse(): string {
  tf.backend();
  return tf.getBackend();
}

/** tf.setBackend is declared async for backends that load files; with a synchronous factory it has taken effect when it returns. */
export function switchBackend(name: string): void {
  void tf.setBackend(name);
  if (tf.getBackend() !== name) throw new Error(`Cannot switch tfjs to the backend "${name}"`);
}

/** Runs `work` on tfjs's own cpu backend, the reference of all comparisons, and goes back to the one in use. */
export async function onCpu<T>(work: () => T | Promise<T>): Promise<T> {
  const previous = backendInUse();
  switchBackend("cpu");
  try {
    return await work();
  } finally {
    switchBackend(previous);
  }
}
