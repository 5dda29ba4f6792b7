import { gradientBoosting } from "../gradient-boosting.ts";
import { joinColumns, type Matrix } from "../matrix.ts";
import { type UsableInformation, type UsableInformationOptions, usableInformation } from "../usable-information.ts";
import type { LabelledFactor } from "./score.ts";

export interface Block {
  readonly name: string;
  /** [rows, latents of the block]. */
  readonly codes: Matrix;
}

export interface BlockInformation extends UsableInformation {
  readonly block: string;
  readonly factor: string;
}

/** Name of the row for all blocks side by side. */
export const allBlocks = "all";

/**
 * Usable information about every factor in every block and in all of them together, as in the GK-VAE paper's tables.
 *
 * Blocks are measured one by one: what two of them hold counts in both, and what only their combination tells counts in
 * `all` alone, so the blocks' figures need not add up.
 *
 * Source: Kleinman et al., GK-VAE, section 4.2, tables 1 and 2 (gradient boosting; 8,000 rows to fit, 2,000 to test)
 *
 * @returns factors in order, and for each the blocks in order, then `all`
 * @throws RangeError as usableInformation() does, or if blocks differ in rows
 */
export function usableByBlock(
  blocks: readonly Block[],
  factors: readonly LabelledFactor[],
  { train, classifier = gradientBoosting }: Omit<UsableInformationOptions, "classes">,
): BlockInformation[] {
  const all = { name: allBlocks, codes: joinColumns(blocks.map(({ codes }) => codes)) };
  return factors.flatMap(({ name: factor, labels, classes }) =>
    [...blocks, all].map(({ name: block, codes }) => ({
      block,
      factor,
      ...usableInformation(codes, labels, { classes, train, classifier }),
    })),
  );
}
