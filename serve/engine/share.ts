/** How several workers share the work of a queue (serve/engine/README.md has the measurements behind the rules). */

/** Rows from which on a larger batch costs hardly less a row. */
const worthwhileRows = 8;

/**
 * Rows that one of several workers should take at once: half of its part of all that is pending. One that took all that
 * waits would leave nothing to the others, and its clients would come back all at once, when nobody computes; half a
 * part keeps answers on their way while the next batch is computed. Never less than a part where that is small.
 */
export function shareOf(pendingRows: number, workers: number): number {
  if (workers <= 1) return Number.POSITIVE_INFINITY;
  const part = Math.ceil(pendingRows / workers);
  return Math.max(Math.min(part, worthwhileRows), Math.ceil(part / 2));
}

/**
 * Rows that must wait before a worker that computes is given them as its next batch. With less it would rather be idle
 * for a moment: what comes meanwhile can still join them, and whoever is idle first can take them.
 */
export function aheadOf(share: number, maxRows: number): number {
  return Math.min(share / 2, maxRows);
}

/** Rows with which a batch need not wait for what is still to be read from other connections. */
export function enoughOf(share: number, maxRows: number): number {
  return Math.max(Math.min(worthwhileRows, maxRows), aheadOf(share, maxRows));
}
