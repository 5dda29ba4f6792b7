import type { OutputShape, PartTable } from "../part-table.ts";
import type { OutputFile } from "./output-file.ts";

/** A part's file on disk and what its record says of it. */
export interface PartFile {
  readonly path: string;
  readonly bytes: number;
  readonly rows: number;
  readonly widestId: number;
}

export interface PartTarget {
  readonly shape: OutputShape;
  /** Folder of the pictures, where the output is pictures. */
  readonly pictures: string | undefined;
}

/** How scored rows become a file: part by part, and then all parts in order as one. */
export interface OutputFormat {
  /** Bytes of one part; the same rows give the same bytes. */
  encodePart(table: PartTable, target: PartTarget): Promise<Uint8Array>;
  /** Puts the parts together; holds one of them at a time. */
  assemble(parts: readonly PartFile[], target: OutputFile, shape: OutputShape): Promise<void>;
}
