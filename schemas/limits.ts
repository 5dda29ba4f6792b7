/**
 * The most that a number of a recipe or a flag may be where memory grows with it: far beyond use, and within what an
 * array can hold. Numbers that only take time have none.
 */
export const limits = {
  pairs: 1_000_000,
  steps: 100_000_000,
  batchSize: 65_536,
  channels: 16,
  /** Side of an image, pixels. */
  size: 1024,
  /** Dimensions of a code, or values of one of them. */
  latents: 4096,
  filters: 2048,
  /** Of a dense layer; classes are one. */
  width: 16_384,
  layers: 64,
  /** Of one pool: each is a thread of the operating system. */
  threads: 1024,
} as const;
