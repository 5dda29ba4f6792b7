/**
 * The most that a number of a recipe or a flag may be where memory grows with it: far beyond use, and within what an
 * array can hold. Numbers that only take time have none.
 */
export const limits = {
  pairs: 1_000_000,
  steps: 100_000_000,
  batchSize: 65_536,
  /** Of one pool: each is a thread of the operating system. */
  threads: 1024,
} as const;
