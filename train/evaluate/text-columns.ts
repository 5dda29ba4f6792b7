/** Rows as lines of a terminal. @param align one letter a column: `l` or `r` */
export function columns(align: string, rows: readonly (readonly string[])[]): string[] {
  const widths = Array.from(align, (_, j) => Math.max(...rows.map((row) => row[j]!.length)));
  const pad = (cell: string, j: number) => (align[j] === "r" ? cell.padStart(widths[j]!) : cell.padEnd(widths[j]!));
  return rows.map((row) => row.map(pad).join("  ").trimEnd());
}
