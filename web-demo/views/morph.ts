const milliseconds = 1400;

/**
 * Moves values smoothly from where they are to where they shall be; at once for those who want no motion.
 *
 * @returns stops it where it is
 */
export function morph(
  { from, to }: { from: ReadonlyMap<string, number>; to: ReadonlyMap<string, number> },
  { onStep, onEnd }: { onStep: (values: ReadonlyMap<string, number>) => void; onEnd: () => void },
): () => void {
  let frame = 0;
  const began = performance.now();
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const step = (now: number): void => {
    const part = still ? 1 : Math.min(1, Math.max(0, now - began) / milliseconds);
    const eased = part * part * (3 - 2 * part);
    onStep(new Map([...to].map(([name, end]) => [name, (1 - eased) * (from.get(name) ?? 0) + eased * end])));
    if (part < 1) frame = requestAnimationFrame(step);
    else onEnd();
  };
  frame = requestAnimationFrame(step);
  return () => cancelAnimationFrame(frame);
}
