import type { ByteSource } from "./byte-source.ts";

/** Where the lines of a text file begin, in chunks of a thousand of them, or fewer long ones. */
export interface LineIndex {
  /** First byte of every chunk, and behind them the end of the file. */
  readonly offsets: readonly number[];
  /** First line of every chunk, and behind them the number of lines. */
  readonly starts: readonly number[];
}

const LINES_PER_CHUNK = 1024;
/** A chunk ends with the line that reaches it: 1,024 lines of pictures as text would be more than a string can hold. */
const CHUNK_BYTES = 4 << 20;
const STEP = 4 << 20;
const [NEWLINE, RETURN, QUOTE] = [10, 13, 34];

/**
 * Finds the lines in one pass over the file; empty ones do not count. In a file of quoted values (CSV) a line break
 * within quotes is none.
 */
export async function indexLines(
  bytes: ByteSource,
  { size, quoted }: { size: number; quoted: boolean },
): Promise<LineIndex> {
  const offsets = [0];
  const starts = [0];
  let lines = 0;
  let inside = false;
  let empty = true;
  let chunkOf = 0; // lines since the last chunk began
  const buffer = new Uint8Array(STEP);
  const endLine = (next: number): void => {
    if (!empty) {
      lines++;
      chunkOf++;
    }
    empty = true;
    if (chunkOf < LINES_PER_CHUNK && next - offsets.at(-1)! < CHUNK_BYTES) return;
    offsets.push(next);
    starts.push(lines);
    chunkOf = 0;
  };
  for (let at = 0; at < size; at += STEP) {
    const piece = await bytes.read(at, Math.min(STEP, size - at), buffer);
    for (let i = 0; i < piece.length; i++) {
      const byte = piece[i]!;
      if (byte === NEWLINE && !inside) endLine(at + i + 1);
      else if (byte !== RETURN) empty = false;
      if (quoted && byte === QUOTE) inside = !inside;
    }
  }
  endLine(size);
  if (starts.at(-1) !== lines) {
    offsets.push(size);
    starts.push(lines);
  } else offsets[offsets.length - 1] = size;
  return { offsets, starts };
}
