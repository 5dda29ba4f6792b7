import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encode } from "fast-png";
import { afterAll, expect, test } from "vitest";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import { openSource } from "../../../train/data/open-source.ts";
import type { PairSource } from "../../../train/data/pair-source.ts";
import { stream } from "../../../train/random.ts";

const root = mkdtempSync(join(tmpdir(), "cominfo-folders-"));
afterAll(() => rmSync(root, { recursive: true }));

/** Pictures of one value, which names the view and the file. */
function write(name: string, value: number, [width, height, channels] = [4, 3, 1]): void {
  mkdirSync(join(root, name, ".."), { recursive: true });
  const data = new Uint8Array(width! * height! * channels!).fill(value);
  writeFileSync(join(root, name), encode({ width: width!, height: height!, channels: channels!, depth: 8, data }));
}

for (const k of [1, 2, 3]) {
  write(`view_1/${k}.png`, k);
  write(`view_2/${k}.png`, 10 * k, [2, 2, 3]);
  write(`third/${k}.PNG`, 100 + k, [1, 1, 4]);
  write(`other/${k + 1}.png`, k);
}
writeFileSync(join(root, "view_1", "notes.txt"), "no picture");
mkdirSync(join(root, "empty"));
const open = (folders?: string[]): PairSource =>
  openSource({ source: "png-folders", ...(folders === undefined ? {} : { folders }) }, { dataDir: root });

test("files of one name are one example, views may have sizes of their own, and all examples are drawn", () => {
  const { description, draw } = open();
  expect(description.views).toEqual([
    { name: "view_1", height: 3, width: 4, channels: 1 },
    { name: "view_2", height: 2, width: 2, channels: 3 },
  ]);
  expect(description.summary).toBe('3 examples of 2 views, PNG files of "view_1", "view_2"');
  expect(description.factors).toEqual([]);
  expect(description.commonInformationBits).toBeUndefined();
  const { tensors, labels } = draw(60, stream(1, "batch"));
  expect(labels).toEqual([{}, {}]);
  expect([tensors.view_1!.shape, tensors.view_2!.shape]).toEqual([
    [60, 3, 4, 1],
    [60, 2, 2, 3],
  ]);
  const firsts = Array.from({ length: 60 }, (_, row) => Number(tensors.view_1!.data[row * 12]));
  expect(new Set(firsts)).toEqual(new Set([1, 2, 3]));
  for (const [row, value] of firsts.entries()) {
    expect(new Set(tensors.view_1!.data.subarray(row * 12, row * 12 + 12) as Uint8Array)).toEqual(new Set([value]));
    expect(new Set(tensors.view_2!.data.subarray(row * 12, row * 12 + 12) as Uint8Array)).toEqual(
      new Set([10 * value]),
    );
  }
});

test("a batch depends on its size and address only, and its beginning is the smaller batch", () => {
  const before = open().draw(8, stream(2, "data", 5));
  expect(open().draw(8, stream(2, "data", 5))).toEqual(before);
  expect(open().draw(3, stream(2, "data", 5)).tensors.view_1!.data).toEqual(
    before.tensors.view_1!.data.subarray(0, 36),
  );
});

test("provenance changes with a pixel", () => {
  write("view_3/1.png", 1);
  const pixels = (): string => open(["view_3", "view_3"]).description.provenance.pixels!;
  const before = pixels();
  expect(pixels()).toBe(before);
  write("view_3/1.png", 2);
  expect(pixels()).not.toBe(before);
});

test.each([
  [["view_1", "none"], UsageError, "it needs a folder"],
  [["view_1", "empty"], UsageError, "must hold PNG files, got none"],
  [["view_1", "other"], UsageError, "the same names in every folder, got none at other/1.png, view_1/4.png"],
  [
    ["view_1", "third"],
    UsageError,
    "got none at third/1.png, third/2.png, third/3.png, view_1/1.PNG, view_1/2.PNG and 1 more",
  ],
  [["view_1"], UsageError, '"folders" must'],
] as const)("%j are refused in one line", (folders, kind, message) => {
  const attempt = (): unknown => open([...folders]);
  expect(attempt).toThrow(kind);
  expect(attempt).toThrow(message);
  expect(attempt).not.toThrow("\n");
});

test("no data folder is said", () => {
  expect(() => openSource({ source: "png-folders" })).toThrow("it needs folders view_1, view_2, got no data folder");
});

test("a picture of another size or a damaged one is named", () => {
  for (const k of [1, 2]) write(`odd/${k}.png`, 0, [4 + k, 3, 1]);
  expect(() => open(["odd", "odd"])).toThrow(FailureError);
  expect(() => open(["odd", "odd"])).toThrow(
    /odd\/2.png" must be 5x3x1 \(width, height, channels\) as "1.png" is, got 6x3x1$/,
  );
  mkdirSync(join(root, "bad"));
  writeFileSync(join(root, "bad", "1.png"), "not a picture");
  expect(() => open(["bad", "bad"])).toThrow(/bad\/1.png": it must begin with a PNG header/);
});
