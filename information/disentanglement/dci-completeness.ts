import { concentration, type ImportanceMatrix, requireImportance } from "./importance-matrix.ts";
import type { Score } from "./score.ts";

/**
 * Completeness of a code: whether each factor is captured by one latent only.
 *
 *   C_k = 1 - H( column k ) / ln latents
 *
 * `unweighted` is the plain mean over factors, of the figures that GK-VAE's code prints by factor. `weighted` is
 * disentanglement_lib's: weighted by the factor's share of all importance, which leaves out factors of which nothing
 * was learned, where `unweighted` counts them as 0. Otherwise the two agree, since columns add up to 1.
 *
 * Source: Eastwood & Williams 2018, https://openreview.net/forum?id=By-7dz-AZ, section 2
 *
 * @returns between 0 and 1, 0 where nothing was learned of any factor; `parts` by factor
 * @throws RangeError for fewer than 2 latents, where every factor would be complete
 */
export function dciCompleteness(importance: ImportanceMatrix, averaging: "unweighted" | "weighted"): Score {
  const action = "score completeness";
  requireImportance(action, importance);
  const { latents, factors, values } = importance;
  if (latents.length < 2) {
    throw new RangeError(`Cannot ${action}: there must be at least 2 latents, got ${latents.length}`);
  }
  const columns = factors.map((_, k) => Float64Array.from(latents, (_name, j) => values[j * factors.length + k]!));
  const parts = Float64Array.from(columns, concentration);
  const weights = columns.map((column) =>
    averaging === "weighted" ? column.reduce((sum, share) => sum + share, 0) : 1,
  );
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const value = total === 0 ? 0 : weights.reduce((sum, weight, k) => sum + (weight / total) * parts[k]!, 0);
  const how =
    averaging === "weighted"
      ? "factors weighted by importance, disentanglement_lib"
      : "plain mean over factors, GK-VAE";
  return { value, definition: `dci-completeness-${averaging} (${how})`, parts };
}
