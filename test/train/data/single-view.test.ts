import { expect, test } from "vitest";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import { createDspritesRenderer } from "../../../train/data/dsprites-renderer.ts";
import { plainImages } from "../../../train/data/image-store.ts";
import { openSource } from "../../../train/data/open-source.ts";
import { singleFromRows } from "../../../train/data/single-view.ts";
import { stream } from "../../../train/random.ts";

const dsprites = (options: Record<string, unknown> = {}) => openSource({ source: "dsprites", views: 1, ...options });

test("dsprites with one view has the five factors of the paper and tells of no pair", () => {
  const { description } = dsprites();
  expect(description.views).toEqual([{ name: "image", height: 64, width: 64, channels: 1 }]);
  expect(description.factors.map(({ name, size, role }) => [name, size, role])).toEqual([
    ["shape", 3, "single"],
    ["scale", 6, "single"],
    ["orientation", 40, "single"],
    ["position_x", 32, "single"],
    ["position_y", 32, "single"],
  ]);
  expect(description.commonInformationBits).toBeUndefined();
});

test("every single image is the renderer's image of its labels, and a smaller batch is the beginning of a larger one", () => {
  const source = dsprites({ size: 32, scales: 3 });
  const { tensors, labels } = source.draw(30, stream(1, "batch"));
  expect(Object.keys(tensors)).toEqual(["image"]);
  expect(labels[1]).toBe(labels[0]);
  const render = createDspritesRenderer(32);
  const expected = new Uint8Array(32 * 32);
  for (let row = 0; row < 30; row++) {
    const at = (factor: string): number => labels[0][factor]![row]!;
    const sprite = { shape: at("shape"), scale: 2 * at("scale"), orientation: at("orientation") };
    render({ ...sprite, x: at("position_x"), y: at("position_y") }, expected, 0);
    expect(tensors.image!.data.subarray(row * 1024, (row + 1) * 1024)).toEqual(expected);
  }
  const fewer = source.draw(7, stream(1, "batch")).tensors.image!.data;
  expect(tensors.image!.data.subarray(0, fewer.length)).toEqual(fewer);
});

test("roles of factors are refused where there is one view", () => {
  expect(() => dsprites({ common: ["shape"] })).toThrow(UsageError);
  expect(() => dsprites({ unique: ["shape"] })).toThrow(
    `Cannot open data source "dsprites": "unique" says what two views share, and "views" is 1`,
  );
});

function rowsOf(classes: number[]) {
  const shape = { count: 4, height: 1, width: 2, channels: 1 };
  const store = plainImages(shape, "test");
  store.add(Uint8Array.from([0, 1, 10, 11, 20, 21, 30, 31]));
  return singleFromRows({
    name: "few",
    summary: "four images",
    images: store.done(),
    columns: [{ name: "tens", size: 4, classes: Int32Array.from(classes) }],
    provenance: {},
    action: "test",
  });
}

test("rows of a set come with their own labels, each as often as any other", () => {
  const n = 4000;
  const { tensors, labels } = rowsOf([0, 1, 2, 3]).draw(n, stream(3, "rows"));
  const counts = [0, 0, 0, 0];
  for (let row = 0; row < n; row++) {
    const tens = labels[0].tens![row]!;
    expect(Array.from(tensors.image!.data.subarray(2 * row, 2 * row + 2) as Uint8Array)).toEqual([
      10 * tens,
      10 * tens + 1,
    ]);
    counts[tens]! += 1;
  }
  for (const count of counts) expect(Math.abs(count - n / 4)).toBeLessThan(5 * Math.sqrt((n * 3) / 16));
});

test("labels of another count than the images are refused", () => {
  expect(() => rowsOf([0, 1, 2])).toThrow(FailureError);
  expect(() => rowsOf([0, 1, 2])).toThrow(`factor "tens" must have 4 labels, one for each image, got 3`);
});
