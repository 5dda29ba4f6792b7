/** Share of the pairs that the probes are fitted on, from the front; the paper's 8,000 of 10,000. */
const trainShare = 0.8;

/** How many of the pairs, from the front, the classifiers are fitted on; the rest is the test part. */
export function trainingPairs(pairs: number): number {
  return Math.floor(pairs * trainShare);
}
