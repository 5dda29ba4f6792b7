import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, expect, test } from "vitest";
import { type NpyArray, writeNpy } from "../../files/npy.ts";
import { openNpz, writeNpz } from "../../files/npz.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { stream } from "../../train/random.ts";
import { testData } from "./test-data.ts";

const folder = mkdtempSync(join(tmpdir(), "cominfo-npz-"));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
function stored(bytes: Uint8Array): string {
  const file = join(folder, `${files++}.npz`);
  writeFileSync(file, bytes);
  return file;
}

const counting: NpyArray = {
  dtype: "int64",
  shape: [2, 3, 4],
  data: BigInt64Array.from({ length: 24 }, (_, i) => BigInt(i)),
};
const flat: NpyArray = { dtype: "uint8", shape: [1000, 50], data: new Uint8Array(50_000).fill(7) };
const noise = (() => {
  const random = stream(3, "noise");
  return {
    dtype: "uint8",
    shape: [300, 700],
    data: Uint8Array.from({ length: 210_000 }, () => random.integer(256)),
  } as const;
})();
const pickled = Buffer.from(
  "\x93NUMPY\x01\x00\x3c\x00{'descr': '|O', 'fortran_order': False, 'shape': (2,), }      \nabc",
  "latin1",
);

// np.savez_compressed("c.npz", a=np.arange(24).reshape(2, 3, 4)), NumPy 1.24: zip64 fields in the local header
const NUMPY =
  "UEsDBC0AAAAIAAAAIQBwuy4P//////////8FABQAYS5ucHkBABAAQAEAAAAAAACHAAAAAAAAAJ3MOQoCQRSE4Rn3fV/Sl7VCRzqBiLGZYmJgJI3ToiCOdIuJeAov7Ai/F7CSj6qg3uvtarMLg0fwVLH1B6fmohbnmdKijom7O3PdJy62331pLt6muz+Zm037aKJlqiUaa3nJf6kEJMQMZjGHeSxgEUtYxt9hFWtYxwY2sYVt7GAXe9jHAQ7xA1BLAQItAy0AAAAIAAAAIQBwuy4PhwAAAEABAAAFAAAAAAAAAAAAAACAAQAAAABhLm5weVBLBQYAAAAAAQABADMAAAC+AAAAAAA=";

test("an archive that NumPy wrote is read", () => {
  const npz = openNpz(stored(Buffer.from(NUMPY, "base64")));
  expect(npz.names).toEqual(["a"]);
  expect(npz.read("a")).toEqual(counting);
});

// The same array twice, by Python's zipfile with its zip64 limit at 10 bytes: sizes and places of the directory are in the
// long fields, as in archives beyond 2 GiB
const LONG =
  "UEsDBC0AAAAIAAAAIQBwuy4P//////////8FABQAYS5ucHkBABAAQAEAAAAAAACHAAAAAAAAAJ3MOQoCQRSE4Rn3fV/Sl7VCRzqBiLGZYmJgJI3ToiCOdIuJeAov7Ai/F7CSj6qg3uvtarMLg0fwVLH1B6fmohbnmdKijom7O3PdJy62331pLt6muz+Zm037aKJlqiUaa3nJf6kEJMQMZjGHeSxgEUtYxt9hFWtYxwY2sYVt7GAXe9jHAQ7xA1BLAwQtAAAACAAAACEAcLsuD///////////BQAUAGIubnB5AQAQAEABAAAAAAAAhwAAAAAAAACdzDkKAkEUhOEZ931f0pe1Qkc6gYixmWJiYCSN06IgjnSLiXgKL+wIvxewko+qoN7r7WqzC4NH8FSx9Qen5qIW55nSoo6Juztz3Scutt99aS7eprs/mZtN+2iiZaolGmt5yX+pBCTEDGYxh3ksYBFLWMbfYRVrWMcGNrGFbexgF3vYxwEO8QNQSwECLQMtAAAACAAAACEAcLsuD///////////BQAUAAAAAAAAAAAAgAEAAAAAYS5ucHkBABAAQAEAAAAAAACHAAAAAAAAAFBLAQItAy0AAAAIAAAAIQBwuy4P//////////8FABwAAAAAAAAAAACAAf////9iLm5weQEAGABAAQAAAAAAAIcAAAAAAAAAvgAAAAAAAABQSwYGLAAAAAAAAAAtAC0AAAAAAAAAAAACAAAAAAAAAAIAAAAAAAAAlgAAAAAAAAB8AQAAAAAAAFBLBgcAAAAAEgIAAAAAAAABAAAAUEsFBgAAAAACAAIAlgAAAHwBAAAAAA==";

test("a zip64 archive is read", () => {
  const npz = openNpz(stored(Buffer.from(LONG, "base64")));
  expect(npz.names).toEqual(["a", "b"]);
  expect([npz.read("a"), npz.read("b")]).toEqual([counting, counting]);
});

test("what is written is read again, and equal arrays give equal bytes", () => {
  const arrays = {
    counting,
    flat,
    noise,
    none: { dtype: "float32", shape: [0, 4], data: new Float32Array(0) } as const,
  };
  const npz = openNpz(stored(writeNpz(arrays)));
  expect(npz.names).toEqual(["counting", "flat", "noise", "none"]);
  for (const [name, array] of Object.entries(arrays)) {
    const made = npz.read(name);
    expect([made.dtype, made.shape]).toEqual([array.dtype, array.shape]);
    expect(Buffer.compare(new Uint8Array(made.data.buffer), new Uint8Array(array.data.buffer))).toBe(0);
  }
  expect(Buffer.compare(writeNpz(arrays), writeNpz({ ...arrays }))).toBe(0);
});

test("stored archives are read as deflated ones are, and other files in them are left alone", () => {
  const npz = openNpz(stored(zipSync({ "noise.npy": writeNpy(noise), "notes.txt": Buffer.from("x") }, { level: 0 })));
  expect(npz.names).toEqual(["noise"]);
  expect(npz.header("noise")).toMatchObject({ dtype: "uint8", shape: [300, 700], bytes: 210_000 });
  expect(Buffer.compare(npz.read("noise").data as Uint8Array, noise.data)).toBe(0);
});

test.each([0, 6] as const)("blocks of rows are those of the whole array, at level %d", (level) => {
  const npz = openNpz(stored(zipSync({ "noise.npy": writeNpy(noise), "counting.npy": writeNpy(counting) }, { level })));
  const rows: Uint8Array[] = [];
  npz.eachBlock("noise", (block, firstRow) => {
    expect(firstRow).toBe(rows.length);
    for (let at = 0; at < block.length; at += 700) rows.push((block as Uint8Array).slice(at, at + 700));
  });
  expect(rows.length).toBe(300);
  expect(Buffer.compare(Buffer.concat(rows), noise.data)).toBe(0);
  const numbers: bigint[] = [];
  npz.eachBlock("counting", (block) => numbers.push(...(block as BigInt64Array)));
  expect(numbers).toEqual([...(counting.data as BigInt64Array)]);
});

test("an array of pickled objects is refused when asked for, and harms no other", () => {
  const npz = openNpz(stored(zipSync({ "metadata.npy": pickled, "counting.npy": writeNpy(counting) })));
  expect(npz.read("counting")).toEqual(counting);
  expect(() => npz.read("metadata")).toThrow("got Python objects (a pickle): they are never read");
});

test("a file or array that is not there is the caller's fault, with the nearest name", () => {
  expect(() => openNpz(join(folder, "none.npz"))).toThrow(UsageError);
  const npz = openNpz(stored(writeNpz({ counting })));
  expect(() => npz.read("countng")).toThrow(UsageError);
  expect(() => npz.read("countng")).toThrow('array "countng" must be one of counting, did you mean "counting"?');
});

/** The archive with other numbers in its one directory entry. */
function forged(archive: Uint8Array, at: number, value: number): Buffer {
  const bytes = Buffer.from(archive);
  bytes.writeUInt32LE(value, bytes.readUInt32LE(bytes.length - 6) + at);
  return bytes;
}

test("a bomb is not unpacked: what comes out is counted against the directory, and that against 2 GiB", () => {
  const bomb = zipSync({
    "a.npy": writeNpy({ dtype: "uint8", shape: [10_000_000], data: new Uint8Array(10_000_000) }),
  });
  expect(bomb.length).toBeLessThan(15_000);
  expect(() => openNpz(stored(forged(bomb, 24, 4096))).read("a")).toThrow("must unpack to 4096 bytes, got more");
  const grown = openNpz(stored(forged(bomb, 24, 3_000_000_000)));
  expect(() => grown.read("a")).toThrow("it must take at most 2147483647 bytes, got 3000000000");
});

test("damage is found: truncation, a wrong checksum, a wrong byte, a wrong size, a strange method", () => {
  const whole = writeNpz({ noise });
  const fault = (bytes: Uint8Array): unknown => openNpz(stored(bytes)).read("noise");
  expect(() => fault(whole.subarray(0, -1))).toThrow("its directory must be at its end: the file is truncated");
  expect(() => fault(whole.subarray(0, 1000))).toThrow("its directory must be at its end");
  expect(() => fault(Buffer.from("no archive"))).toThrow("it is no zip file");
  expect(() => fault(Buffer.alloc(0))).toThrow("got nothing: it is no zip file");
  expect(() => fault(forged(whole, 16, 1))).toThrow("its checksum must fit, got another");
  expect(() => fault(forged(whole, 24, 210_129))).toThrow("it is truncated");
  expect(() => fault(forged(whole, 20, 900_000))).toThrow("must take 900000 bytes, got");
  expect(() => fault(forged(whole, 20, 5000))).toThrow("its deflated data must be whole");
  expect(() => fault(forged(whole, 42, 900_000_000))).toThrow("must begin inside the file");
  expect(() => fault(forged(whole, 10, 12))).toThrow("must be stored or deflated, got zip method 12");
  const flipped = Buffer.from(whole);
  flipped[100_000]! ^= 1;
  expect(() => fault(flipped)).toThrow(FailureError);
});

test("every single cut of a small archive is an error of ours, and so is every flipped byte that matters", () => {
  const whole = Buffer.from(writeNpz({ counting }));
  for (let length = 0; length < whole.length; length++) {
    expect(() => openNpz(stored(whole.subarray(0, length))).read("counting")).toThrow(FailureError);
  }
  for (let at = 0; at < whole.length; at++) {
    const changed = Buffer.from(whole);
    changed[at]! ^= 0x55;
    try {
      expect(openNpz(stored(changed)).read("counting")).toEqual(counting);
    } catch (error) {
      expect(error instanceof FailureError || error instanceof UsageError, `byte ${at}: ${error}`).toBe(true);
    }
  }
});

const real = testData("dsprites");
test.skipIf(real.missing)(`the published subset is read, its pickled metadata is not ${real.title}`, () => {
  const npz = openNpz(join(real.folder, "dsprites_subset.npz"));
  expect(npz.header("imgs")).toMatchObject({ dtype: "uint8", shape: [20_000, 64, 64] });
  expect(npz.header("latents_classes").shape).toEqual([20_000, 5]);
  expect(() => npz.read("metadata")).toThrow("Python objects");
});
