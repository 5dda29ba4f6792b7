import { concentration, type ImportanceMatrix, requireImportance } from "./importance-matrix.ts";
import type { Score } from "./score.ts";

/**
 * Disentanglement of a code: whether each latent matters for one factor only.
 *
 *   D_j = 1 - H( row j / its sum ) / ln factors,    D = sum_j D_j (sum of row j) / (sum of all)
 *
 * A latent that matters for nothing has no weight; where none matters the score is 0.
 *
 * Source: Eastwood & Williams 2018, https://openreview.net/forum?id=By-7dz-AZ, section 2; GK-VAE's code and
 * disentanglement_lib agree on it
 *
 * @returns between 0 and 1; `parts` by latent, those that matter for nothing at 0
 * @throws RangeError for fewer than 2 factors, where every latent would be disentangled
 */
export function dciDisentanglement(importance: ImportanceMatrix): Score {
  const action = "score disentanglement";
  requireImportance(action, importance);
  const { latents, factors, values } = importance;
  if (factors.length < 2) {
    throw new RangeError(`Cannot ${action}: there must be at least 2 factors, got ${factors.length}`);
  }
  const rows = latents.map((_, j) => values.subarray(j * factors.length, (j + 1) * factors.length));
  const parts = Float64Array.from(rows, concentration);
  const weights = rows.map((row) => row.reduce((sum, share) => sum + share, 0));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const value = total === 0 ? 0 : weights.reduce((sum, weight, j) => sum + (weight / total) * parts[j]!, 0);
  return { value, definition: "dci-disentanglement (latents weighted by their importance)", parts };
}
