/** Dimensions that the visitor has dragged, by name, as the address keeps them: `common_0:1.2,unique_1_0:-0.4`. */
export type Edits = Map<string, number>;

export function readEdits(text = ""): Edits {
  const entries = text.split(",").map((part) => part.split(":"));
  return new Map(
    entries.flatMap(([name = "", value = ""]) =>
      name !== "" && Number.isFinite(Number(value)) ? [[name, Number(value)]] : [],
    ),
  );
}

export function writeEdits(edits: ReadonlyMap<string, number>): string {
  return [...edits].map(([name, value]) => `${name}:${Number(value.toFixed(2))}`).join(",");
}

/** Mean change of a pixel, in the unit of the pixels. */
export function meanChange(now: Float32Array, before: Float32Array): number {
  return now.reduce((sum, value, i) => sum + Math.abs(value - before[i]!), 0) / now.length;
}
