import { createHash } from "node:crypto";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { FailureError, UsageError } from "../../../schemas/errors.ts";
import { openSource } from "../../../train/data/open-source.ts";
import { stream } from "../../../train/random.ts";
import { norbMatrix } from "../../files/norb-file.ts";
import { testData } from "../../files/test-data.ts";
import { norbBases, writeNorb } from "./made-norb.ts";

const folder = mkdtempSync(path.join(tmpdir(), "cominfo-single-"));
afterAll(() => rmSync(folder, { recursive: true }));

writeNorb(folder, "train", { rows: 6, shade: 0, zip: false });
writeNorb(folder, "test", { rows: 4, shade: 5, zip: true });
const norb = (options: Record<string, unknown> = {}) =>
  openSource({ source: "small-norb", ...options }, { dataDir: folder });

test("SmallNORB has four factors, the left camera and both parts, plain and gzip", () => {
  const source = norb();
  expect(source.description.factors.map(({ name, size, role }) => [name, size, role])).toEqual([
    ["category", 5, "single"],
    ["elevation", 9, "single"],
    ["azimuth", 18, "single"],
    ["lighting", 6, "single"],
  ]);
  expect(source.description.views).toEqual([{ name: "image", height: 64, width: 64, channels: 1 }]);
  expect(Object.keys(source.description.provenance)).toHaveLength(6);
  const { tensors, labels } = source.draw(200, stream(1, "norb"));
  const seen = new Set<number>();
  for (let row = 0; row < 200; row++) {
    const image = tensors.image!.data.subarray(row * 64 * 64, (row + 1) * 64 * 64) as Uint8Array;
    const shade = image[0]!;
    expect(image.every((value) => value === shade)).toBe(true);
    const n = Math.floor(shade / 10);
    const at = (factor: string) => labels[0][factor]![row];
    expect([at("category"), at("elevation"), at("azimuth"), at("lighting")]).toEqual([n % 5, n, n, n % 6]);
    seen.add(shade);
  }
  expect([...seen].sort((a, b) => a - b)).toEqual([0, 5, 10, 15, 20, 25, 30, 35, 40, 50]);
});

test("one part of SmallNORB needs its own files alone, at 32 pixels too", () => {
  const { tensors } = norb({ split: "test", size: 32 }).draw(30, stream(1, "norb"));
  expect(tensors.image!.shape).toEqual([30, 32, 32, 1]);
  expect(new Set(tensors.image!.data as Uint8Array)).toEqual(new Set([5, 15, 25, 35]));
});

test("missing, foreign and wrong files of SmallNORB are told as such", () => {
  expect(() => openSource({ source: "small-norb" })).toThrow(UsageError);
  expect(() => openSource({ source: "small-norb" }, { dataDir: tmpdir() })).toThrow(
    /-dat.mat" or ".*-dat.mat.gz", got neither/,
  );
  const info = path.join(folder, `${norbBases.train}-info.mat`);
  writeFileSync(
    info,
    norbMatrix(
      [6, 4],
      Int32Array.from({ length: 24 }, () => 3),
    ),
  );
  expect(() => norb({ split: "train" })).toThrow(
    /azimuth must be one of 18 values from 0 in steps of 2, got 3 in row 0/,
  );
  writeFileSync(info, norbMatrix([5, 4], new Int32Array(20)));
  expect(() => norb({ split: "train" })).toThrow(FailureError);
});

const cars = testData("cars3d");

test.skipIf(cars.missing)(
  `Cars3D has a factor value for each file, and Pillow's antialiased pictures ${cars.title}`,
  () => {
    const three = path.join(folder, "cars3d");
    for (const name of ["car_001_mesh.mat", "car_003_mesh.mat"])
      cpSync(path.join(cars.folder, name), path.join(three, name));
    const source = openSource({ source: "cars3d" }, { dataDir: folder });
    expect(source.description.factors.map(({ name, size }) => [name, size])).toEqual([
      ["elevation", 4],
      ["azimuth", 24],
      ["object_type", 2],
    ]);
    expect(source.description.views).toEqual([{ name: "image", height: 64, width: 64, channels: 3 }]);
    const { tensors, labels } = source.draw(800, stream(1, "cars"));
    const bytes = 64 * 64 * 3;
    const row = labels[0].object_type!.findIndex(
      (car, i) => car === 1 && labels[0].azimuth![i] === 5 && labels[0].elevation![i] === 2,
    );
    // Written down from SciPy and Pillow 9.4: car 3, azimuth 5, elevation 2, thumbnail((64, 64), LANCZOS).
    const image = tensors.image!.data.subarray(row * bytes, (row + 1) * bytes) as Uint8Array;
    expect(createHash("sha256").update(image).digest("hex")).toBe(
      "fc2052f0a0af64861e42d315965ba2d4797c6795ca1b890ddf6403d0d2fb92ba",
    );
    expect(openSource({ source: "cars3d", cars: 1, size: 32 }, { dataDir: folder }).description.factors[2]!.size).toBe(
      1,
    );
  },
);

test("a folder without cars, or with a file that is no car, is refused", () => {
  expect(() => openSource({ source: "cars3d" })).toThrow(UsageError);
  const empty = mkdtempSync(path.join(folder, "empty-"));
  expect(() => openSource({ source: "cars3d" }, { dataDir: empty })).toThrow(
    /must hold car_001_mesh.mat and so on, got none/,
  );
  writeFileSync(path.join(empty, "car_001_mesh.mat"), "not MATLAB");
  expect(() => openSource({ source: "cars3d" }, { dataDir: empty })).toThrow(FailureError);
});
