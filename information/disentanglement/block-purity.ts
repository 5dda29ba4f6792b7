import { type ImportanceMatrix, requireImportance } from "./importance-matrix.ts";
import type { Score } from "./score.ts";

/**
 * Share of each factor's importance that lies inside the block of latents where it belongs, averaged over factors: 1
 * where common factors rest on common latents and unique ones on unique latents alone, whatever happens within blocks.
 *
 * Unlike usable information it compares blocks: a factor that two blocks hold in full is charged to the one that the
 * trees prefer, about evenly if they are equal. A factor of which nothing was learned counts as 0.
 *
 * Source: this project's; the number behind the block structure of GK-VAE's DCI plots (figures 2 and 5)
 *
 * @param blocks block of every latent, by the latent's name
 * @param belongs block of every factor, by the factor's name
 * @returns between 0 and 1; `parts` by factor
 * @throws RangeError if a latent or factor has no block, or a factor's block has no latent
 */
export function blockPurity(
  importance: ImportanceMatrix,
  { blocks, belongs }: { blocks: Readonly<Record<string, string>>; belongs: Readonly<Record<string, string>> },
): Score {
  const action = "measure block purity";
  requireImportance(action, importance);
  const { latents, factors, values } = importance;
  const blockOf = latents.map((latent) => named(action, "latent", latent, blocks));
  const parts = Float64Array.from(factors, (factor, k) => {
    const wanted = named(action, "factor", factor, belongs);
    if (!blockOf.includes(wanted)) {
      throw new RangeError(`Cannot ${action}: block "${wanted}" of factor "${factor}" must have a latent, got none`);
    }
    return latents.reduce((sum, _, j) => (blockOf[j] === wanted ? sum + values[j * factors.length + k]! : sum), 0);
  });
  const value = parts.reduce((sum, share) => sum + share, 0) / parts.length;
  return { value, definition: "block-purity (mean over factors of the importance inside the right block)", parts };
}

function named(action: string, kind: string, name: string, blocks: Readonly<Record<string, string>>): string {
  const block = Object.hasOwn(blocks, name) ? blocks[name] : undefined;
  if (block === undefined) {
    throw new RangeError(`Cannot ${action}: ${kind} "${name}" must have a block, got none`);
  }
  return block;
}
