import { bootstrapMean } from "../bootstrap.ts";
import type { UsableInformation } from "../usable-information.ts";
import type { Score, ScoreOptions } from "./score.ts";

/**
 * Informativeness of a code: mean over factors of the share of test rows whose class the classifier gets right, on all
 * latents. (In bits it is the usable information itself.)
 *
 * Source: Eastwood & Williams 2018, https://openreview.net/forum?id=By-7dz-AZ, section 2, with accuracy in the place of
 * the error, as disentanglement_lib has it
 *
 * @param usable by factor, as explainFactors() gives it
 * @returns between 0 and 1, chance level depending on the classes; `parts` by factor
 */
export function dciInformativeness(usable: readonly UsableInformation[], { bootstrap }: ScoreOptions = {}): Score {
  const [first] = usable;
  if (first === undefined) {
    throw new RangeError("Cannot score informativeness: there must be at least one factor, got none");
  }
  const parts = Float64Array.from(usable, ({ accuracy }) => accuracy);
  const value = parts.reduce((sum, accuracy) => sum + accuracy, 0) / parts.length;
  const definition = `dci-informativeness-accuracy (mean test accuracy, ${first.estimator})`;
  if (bootstrap === undefined) return { value, definition, parts };
  // Row by row over all factors: a row whose code is poor is often wrong about several.
  const rows = Float64Array.from(
    first.right,
    (_, i) => usable.reduce((sum, { right }) => sum + right[i]!, 0) / usable.length,
  );
  return { value, definition, parts, interval: bootstrapMean(rows, bootstrap) };
}
