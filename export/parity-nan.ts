import { FailureError } from "../schemas/errors.ts";
import { elementCount, type HostTensor } from "../schemas/tensor.ts";

/**
 * NaN on both sides is agreement for one input (a logarithm of a negative number), and proves nothing for an entry that
 * is never anything else: what made it NaN hides all that was computed there. Entries are told apart by their place in
 * a row, all axes but the first.
 *
 * @param runs results of the reference, which the file agrees with
 * @throws FailureError `parity` with the output and the entry
 */
export function requireNumbers(name: string, runs: readonly Readonly<Record<string, HostTensor>>[]): void {
  const outputs = new Map<string, { row: readonly number[]; isNumber: Uint8Array }>();
  for (const [output, { shape, data }] of runs.flatMap((run) => Object.entries(run))) {
    if (data.length === 0) continue;
    const row = shape.slice(1);
    const known = outputs.get(output) ?? { row, isNumber: new Uint8Array(elementCount(row)) };
    outputs.set(output, known);
    const size = elementCount(row);
    for (let i = 0; i < data.length; i++) if (!Number.isNaN(Number(data[i]))) known.isNumber[i % size] = 1;
  }
  for (const [output, { row, isNumber }] of outputs) {
    const at = isNumber.indexOf(0);
    if (at < 0) continue;
    throw new FailureError(
      `Cannot export "${name}": output "${output}" must be a number for some input that it is compared on, got NaN for all at ${placeOf(at, row)}, which proves nothing`,
      { code: "parity" },
    );
  }
}

/** `[*, 2, 0]`: in any row. */
function placeOf(at: number, row: readonly number[]): string {
  const index: number[] = [];
  let rest = at;
  for (const size of row.toReversed()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return `[${["*", ...index].join(", ")}]`;
}
