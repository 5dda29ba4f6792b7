import { writeFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { cifar10OptionsSchema } from "../../../schemas/data.ts";
import { validate } from "../../../schemas/validate.ts";
import { pairCifar10 } from "../../../train/data/cifar10.ts";
import { cifar10ImageBytes, readCifar10 } from "../../../train/data/cifar10-file.ts";
import { openSource } from "../../../train/data/open-source.ts";
import { stream } from "../../../train/random.ts";
import { testData } from "../../files/test-data.ts";
import { temporaryFolder } from "../engine/temporary-folder.ts";

/** Image i of label i: red 10 i + row, green 100 + column, blue 200 + i. */
function records(labels: readonly number[]): Uint8Array {
  const bytes = new Uint8Array(labels.length * 3073);
  for (const [i, label] of labels.entries()) {
    bytes[i * 3073] = label;
    for (let pixel = 0; pixel < 1024; pixel++) {
      const at = i * 3073 + 1 + pixel;
      bytes[at] = 10 * i + Math.floor(pixel / 32);
      bytes[at + 1024] = 100 + (pixel % 32);
      bytes[at + 2048] = 200 + i;
    }
  }
  return bytes;
}

function folderWith(files: Readonly<Record<string, Uint8Array>>): string {
  const folder = temporaryFolder();
  for (const [name, bytes] of Object.entries(files)) writeFileSync(path.join(folder, name), bytes);
  return folder;
}

const files = {
  "data_batch_1.bin": records([0, 1, 2]),
  "data_batch_3.bin": records([3, 4]),
  "test_batch.bin": records([5, 6]),
};
const batches = [1, 3];

test("files of the binary version become images of red, green and blue pixels, one file after the other", () => {
  const folder = folderWith(files);
  const { images, labels } = readCifar10(
    ["data_batch_1.bin", "data_batch_3.bin"].map((name) => path.join(folder, name)),
  );
  expect([...labels]).toEqual([0, 1, 2, 3, 4]);
  const pixel = (image: number, row: number, column: number) => {
    const at = image * cifar10ImageBytes + 3 * (32 * row + column);
    return [...images.subarray(at, at + 3)];
  };
  expect(pixel(2, 5, 7)).toEqual([25, 107, 202]);
  expect(pixel(4, 31, 0)).toEqual([41, 100, 201]);
});

test("a file that is cut short, a label above 9 and a missing file are told in one line", () => {
  const cut = folderWith({ "data_batch_1.bin": records([1]).subarray(0, 3000) });
  const open = (folder: string) => openSource({ source: "cifar10", batches: [1] }, { dataDir: folder });
  expect(() => open(cut)).toThrow("it must consist of records of 3073 bytes, got 3000 bytes");
  expect(() => open(folderWith({ "data_batch_1.bin": records([3, 10]) }))).toThrow(
    "the label of image 1 must be 0 to 9, got 10",
  );
  expect(() => open(temporaryFolder())).toThrow('it needs "data_batch_1.bin", got no "data_batch_1.bin" in');
});

const source = (options: object = {}) =>
  openSource({ source: "cifar10", batches, ...options }, { dataDir: folderWith(files) });

test("without augmentation both sources are the image, and y is its class", () => {
  const { tensors } = source({ augment: false }).draw(6, stream(1, "data", 1));
  expect(tensors.x1).toEqual(tensors.x2);
  expect(tensors.x1!.shape).toEqual([6, 32, 32, 3]);
  for (let row = 0; row < 6; row++) {
    const label = tensors.y!.data[row] as number;
    const image = label < 3 ? label : label - 3;
    expect(tensors.x1!.data[row * cifar10ImageBytes + 2]).toBe(200 + image);
  }
});

test("augmentation moves each source on its own by up to four pixels, and fills with the average colour", () => {
  const { tensors } = source().draw(200, stream(1, "data", 2));
  const offsets = { same: 0, rows: new Set<number>(), columns: new Set<number>() };
  for (let row = 0; row < 200; row++) {
    const moves = ["x1", "x2"].map((name) => {
      const at = row * cifar10ImageBytes + 3 * (32 * 16 + 16); // the middle pixel is always of the image
      const [red, green, blue] = tensors[name]!.data.slice(at, at + 3) as Uint8Array;
      return [red! - 10 * (blue! - 200) - 16, green! - 100 - 16] as const;
    });
    if (moves[0]!.join() === moves[1]!.join()) offsets.same++;
    offsets.rows.add(moves[0]![0]);
    offsets.columns.add(moves[1]![1]);
  }
  const all = [-4, -3, -2, -1, 0, 1, 2, 3, 4];
  expect([...offsets.rows].sort((a, b) => a - b)).toEqual(all);
  expect([...offsets.columns].sort((a, b) => a - b)).toEqual(all);
  expect(offsets.same).toBeLessThan(15); // 200 / 81 expected
  const corners = Array.from({ length: 200 }, (_, row) =>
    tensors.x1!.data.slice(row * cifar10ImageBytes, row * cifar10ImageBytes + 3).join(),
  );
  expect(corners.filter((colour) => colour === "125,123,113").length).toBeGreaterThan(100);
});

test("held out is the test file, all of it in order, never moved", () => {
  const heldOut = source().heldOut!();
  expect(heldOut.count).toBe(2);
  const { tensors } = heldOut.take(1, 1);
  expect([...tensors.y!.data]).toEqual([6]);
  expect([...tensors.x2!.data.slice(0, 3)]).toEqual([10, 100, 201]);
  expect(tensors.x1!.data).toEqual(tensors.x2!.data);
});

test("frequencies: x1 is the low band and x2 the rest", () => {
  const options = validate(cifar10OptionsSchema, { source: "cifar10", view: "frequencies", cast: "shift" }, "test");
  const even = { images: new Uint8Array(cifar10ImageBytes).fill(77), labels: Uint8Array.of(4) };
  const { tensors } = pairCifar10(even, options, { provenance: {}, test: () => even }).draw(1, stream(0));
  expect(new Set(tensors.x1!.data as Uint8Array)).toEqual(new Set([77]));
  expect(new Set(tensors.x2!.data as Uint8Array)).toEqual(new Set([128]));
});

const real = testData("cifar10");
test.skipIf(real.missing)(`the published test file has 1,000 images of each class ${real.title}`, () => {
  const { labels } = readCifar10([path.join(real.folder, "test_batch.bin")]);
  const counts = Array.from({ length: 10 }, (_, k) => labels.filter((label) => label === k).length);
  expect(counts).toEqual(new Array(10).fill(1000));
});
