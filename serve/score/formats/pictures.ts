import { mkdir } from "node:fs/promises";
import path from "node:path";
import { encode } from "fast-png";
import { replaceFile } from "../../../files/replace-folder.ts";
import type { PartTable, TensorColumn } from "../part-table.ts";
import { jsonlFormat } from "./jsonl.ts";
import type { OutputFormat } from "./output-format.ts";

/**
 * Pictures: `<folder>/<output>/<id>.png`, intensities 0 to 1 as 8 bits, each put in place whole. The output itself is the
 * list of them, a JSON line a row with the path of each.
 */
export const picturesFormat: OutputFormat = {
  async encodePart(table, { pictures }) {
    const folder = pictures!;
    for (const { name } of table.tensors) await mkdir(path.join(folder, name), { recursive: true });
    const lines: string[] = [];
    for (let row = 0; row < table.rows; row++) {
      const file = pictureName(table, row);
      const id = table.ids.integer ? Number(table.ids.values[row]) : table.ids.values[row];
      const line: Record<string, unknown> = { id };
      for (const { name, data } of table.masks) line[name] = data[row] === 1;
      for (const tensor of table.tensors) {
        const has = tensor.present?.[row] !== 0;
        line[tensor.name] = has ? `${tensor.name}/${file}` : null;
        if (has) await replaceFile(path.join(folder, tensor.name, file), pngOf(tensor, row));
      }
      lines.push(`${JSON.stringify(line)}\n`);
    }
    return Buffer.from(lines.join(""), "utf8");
  },
  assemble: jsonlFormat.assemble,
};

function pngOf({ spec, data, size }: TensorColumn, row: number): Uint8Array {
  const [height, width, channels] = spec.shape.slice(1) as [number, number, number];
  const values = data.subarray(row * size, (row + 1) * size) as Float32Array;
  const pixels = Uint8Array.from(values, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
  return encode({ width, height, channels, depth: 8, data: pixels });
}

/** What a file system could read as something else than a part of a name. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const unfit = /^\.+|[\u0000-\u001f/\\:*?"<>|%]/g;

/** `0000012.png` for a number; of text, what is no part of a name is escaped: `a%2Fb.png`. */
function pictureName({ ids }: PartTable, row: number): string {
  if (ids.integer) return `${String(ids.values[row]).padStart(7, "0")}.png`;
  const escaped = (signs: string): string => Buffer.from(signs).toString("hex").toUpperCase().replace(/../g, "%$&");
  return `${ids.values[row]!.replace(unfit, escaped)}.png`;
}
