import { writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { norbMatrix } from "../../files/norb-file.ts";

export const norbBases = {
  train: "smallnorb-5x46789x9x18x6x2x96x96-training",
  test: "smallnorb-5x01235x9x18x6x2x96x96-testing",
};
const pixels = 96 * 96;

/** A stand-in for a part of SmallNORB: image n of the left camera is all 10 n + `shade`, of the right camera all 255. */
export function writeNorb(
  folder: string,
  part: keyof typeof norbBases,
  { rows, shade, zip }: { rows: number; shade: number; zip: boolean },
): void {
  const images = new Uint8Array(rows * 2 * pixels).fill(255);
  for (let n = 0; n < rows; n++) images.fill(10 * n + shade, 2 * n * pixels, (2 * n + 1) * pixels);
  const info = Int32Array.from({ length: 4 * rows }, (_, i) => {
    const n = Math.floor(i / 4);
    return [n % 10, n % 9, 2 * (n % 18), n % 6][i % 4]!;
  });
  const tables = {
    dat: norbMatrix([rows, 2, 96, 96], images),
    cat: norbMatrix(
      [rows],
      Int32Array.from({ length: rows }, (_, n) => n % 5),
    ),
    info: norbMatrix([rows, 4], info),
  };
  for (const [name, bytes] of Object.entries(tables)) {
    writeFileSync(
      path.join(folder, `${norbBases[part]}-${name}.mat${zip ? ".gz" : ""}`),
      zip ? gzipSync(bytes) : bytes,
    );
  }
}
