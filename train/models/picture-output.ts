import type { OutputSpec } from "./family.ts";

/** A picture that a task draws, [batch, size, size, channels], compared on its range: it may be black all over. */
export function pictureOutput(
  what: string,
  { size, channels }: { readonly size: number; readonly channels: number },
): OutputSpec {
  return {
    description: `${what} as [batch, ${size}, ${size}, ${channels}], the probability of a full pixel; times 255 is uint8`,
    unit: "intensity 0..1",
    scale: 1,
  };
}
