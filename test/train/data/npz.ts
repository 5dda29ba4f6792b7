import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";

/** One array of an .npz archive, for tests: no checks beyond those that a wrong read would need. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly data: Uint8Array | Float64Array | BigInt64Array;
}

/** Reads the named arrays (`|u1`, `<f8`, `<i8`, row-major) and no other: a pickled one is never looked at. */
export function readNpz(file: string, names: readonly string[]): Record<string, NpyArray> {
  const archive = readFileSync(file);
  const end = archive.lastIndexOf(Buffer.from("PK\u0005\u0006"));
  const arrays: Record<string, NpyArray> = {};
  for (let at = archive.readUInt32LE(end + 16); archive.readUInt32LE(at) === 0x02014b50; ) {
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => archive.readUInt16LE(at + offset));
    const name = archive.toString("utf8", at + 46, at + 46 + nameLength!).replace(/\.npy$/, "");
    if (names.includes(name)) {
      const local = archive.readUInt32LE(at + 42);
      const start = local + 30 + archive.readUInt16LE(local + 26) + archive.readUInt16LE(local + 28);
      const packed = archive.subarray(start, start + archive.readUInt32LE(at + 20));
      arrays[name] = parseNpy(archive.readUInt16LE(at + 10) === 0 ? packed : inflateRawSync(packed));
    }
    at += 46 + nameLength! + extra! + comment!;
  }
  return arrays;
}

function parseNpy(bytes: Buffer): NpyArray {
  const wide = bytes[6]! >= 2;
  const start = (wide ? 12 : 10) + (wide ? bytes.readUInt32LE(8) : bytes.readUInt16LE(8));
  const header = bytes.toString("latin1", 10, start);
  const shape = [...header.match(/'shape': \(([^)]*)\)/)![1]!.matchAll(/\d+/g)].map(Number);
  const descr = header.match(/'descr': '([^']*)'/)![1]!;
  if (header.includes("True")) throw new Error(`column-major array: ${header}`);
  const buffer = new Uint8Array(bytes.subarray(start)).buffer;
  if (descr === "|u1") return { shape, data: new Uint8Array(buffer) };
  if (descr === "<f8") return { shape, data: new Float64Array(buffer) };
  if (descr === "<i8") return { shape, data: new BigInt64Array(buffer) };
  throw new Error(`dtype ${descr}`);
}
