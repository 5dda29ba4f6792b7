import * as tf from "@tensorflow/tfjs-core";
import { FailureError } from "../schemas/errors.ts";
import type { SavedModel } from "./saved-function.ts";

/**
 * Refuses a model that diverged in training or was saved wrongly: it answers NaN for some or all inputs, in tfjs and in
 * the file alike, and two NaN agree.
 *
 * @throws FailureError with the first weight that holds NaN or an infinity, where, and which
 */
export function requireFiniteWeights(file: string, { format, weights }: SavedModel): void {
  for (const { name, tensor } of weights) {
    if (tensor.dtype !== "float32") continue;
    // A graph model's constants are saved as its weights: a single infinity is a bound or a mask, and is meant.
    const mayBeInfinite = format === "graph model" && tensor.rank === 0;
    const values = tensor.dataSync();
    const at = values.findIndex((value) => !Number.isFinite(value) && !(mayBeInfinite && !Number.isNaN(value)));
    if (at < 0) continue;
    const index = tf.util.indexToLoc(at, tensor.rank, tf.util.computeStrides(tensor.shape));
    throw new FailureError(
      `Cannot convert "${file}": weight "${name}" must be finite numbers, got ${values[at]} at [${index.join(", ")}]; save a model that has not diverged`,
      { code: "bad_weight" },
    );
  }
}
