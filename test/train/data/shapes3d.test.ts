import { expect, test } from "vitest";
import { UsageError } from "../../../schemas/errors.ts";
import { openSource } from "../../../train/data/open-source.ts";
import { createShapes3dRenderer } from "../../../train/data/shapes3d-renderer.ts";
import { shiftedInformation } from "../../../train/data/shifted-values.ts";
import { stream } from "../../../train/random.ts";

const shapes3d = (options: Record<string, unknown> = {}) => openSource({ source: "shapes3d", ...options });
const FACTORS = ["floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"] as const;

test("shapes3d without options is the paper's Common-3dshapes: 64x64x3, hues unique, 8.907 bits", () => {
  const { description } = shapes3d();
  expect(description.views).toEqual([
    { name: "view_1", height: 64, width: 64, channels: 3 },
    { name: "view_2", height: 64, width: 64, channels: 3 },
  ]);
  expect(description.factors).toEqual([
    { name: "floor_hue", size: 10, role: "unique" },
    { name: "wall_hue", size: 10, role: "unique" },
    { name: "object_hue", size: 10, role: "unique" },
    { name: "scale", size: 8, role: "common" },
    { name: "shape", size: 4, role: "common" },
    { name: "orientation", size: 15, role: "common" },
  ]);
  expect(description.commonInformationBits).toBeCloseTo(Math.log2(480), 12);
  expect(description.mutualInformationBits).toBeCloseTo(Math.log2(480), 12);
  expect(description.provenance).toEqual({ renderer: "cominfo-shapes3d-1" });
});

// [calc] from the published code's configurations: log2 of the number of common combinations
test.each([
  [{ unique: ["orientation"] }, 14.966, 14.966],
  [{ correlation: "shifted" }, 8.907, 11.907],
  [{ correlation: "shifted", unique: ["wall_hue", "scale"] }, Math.log2(6000), 1 + Math.log2(6000)],
  // with five hues every step 1 .. 5 is another hue: nothing of view 1 is left
  [{ correlation: "shifted", hues: 5 }, 8.907, 8.907],
  // with two, the hue changes with the odd steps, 3 of 5: one bit less the entropy of that coin
  [{ correlation: "shifted", hues: 2 }, 8.907, 8.907 + 3 * (1 + 0.6 * Math.log2(0.6) + 0.4 * Math.log2(0.4))],
  [{ scales: 2, shapes: 2, orientations: 3, hues: 5 }, Math.log2(12), Math.log2(12)],
])("%j has %f bits of common and %f of mutual information", (options, common, mutual) => {
  const { description } = shapes3d(options);
  expect(description.commonInformationBits).toBeCloseTo(common, 3);
  expect(description.mutualInformationBits).toBeCloseTo(mutual, 3);
});

test.each([
  [{}],
  [{ size: 32, hues: 5, scales: 4, shapes: 2, orientations: 5 }],
  [{ correlation: "shifted", common: ["floor_hue"] }],
])("every image of a batch is the renderer's image of its labels: %j", (options: Record<string, unknown>) => {
  const size = (options.size ?? 64) as 32 | 64;
  const { tensors, labels } = shapes3d(options).draw(40, stream(1, "batch"));
  const stride = options.hues === undefined ? [1, 1, 1, 1] : [2, 2, 2, 3];
  const render = createShapes3dRenderer(size);
  const expected = new Uint8Array(size * size * 3);
  for (const [view, name] of ["view_1", "view_2"].entries()) {
    expect([tensors[name]!.dtype, tensors[name]!.shape]).toEqual(["uint8", [40, size, size, 3]]);
    for (let row = 0; row < 40; row++) {
      const [floorHue, wallHue, objectHue, scale, shape, orientation] = FACTORS.map(
        (factor) => labels[view]![factor]![row]!,
      );
      render(
        {
          floorHue: floorHue! * stride[0]!,
          wallHue: wallHue! * stride[0]!,
          objectHue: objectHue! * stride[0]!,
          scale: scale! * stride[1]!,
          shape: shape! * stride[2]!,
          orientation: orientation! * stride[3]!,
        },
        expected,
        0,
      );
      const made = tensors[name]!.data.subarray(row * expected.length, (row + 1) * expected.length) as Uint8Array;
      expect(Buffer.compare(made, expected)).toBe(0); // toEqual would take seconds
    }
  }
});

test("shifted hues are one to five steps on, evenly, each hue by its own step, and the rest is common", () => {
  const { labels } = shapes3d({ correlation: "shifted", size: 32 }).draw(2000, stream(5, "batch"));
  const steps = ["floor_hue", "wall_hue", "object_hue"].map((hue) =>
    Array.from(labels[0][hue]!, (first, row) => (labels[1][hue]![row]! - first + 10) % 10),
  );
  for (const hue of steps) {
    for (const step of [1, 2, 3, 4, 5]) expect(hue.filter((made) => made === step).length).toBeGreaterThan(320);
    expect(new Set(hue).size).toBe(5);
  }
  const together = steps[0]!.filter((step, row) => step === steps[1]![row]).length;
  expect(together).toBeGreaterThan(320);
  expect(together).toBeLessThan(480);
  for (const name of ["scale", "shape", "orientation"]) expect(labels[0][name]).toEqual(labels[1][name]);
});

test("a batch depends on its size and address only", () => {
  const source = shapes3d({ size: 32, correlation: "shifted" });
  const before = source.draw(16, stream(3, "data", 7));
  source.draw(100, stream(3, "data", 8));
  expect(shapes3d({ size: 32, correlation: "shifted" }).draw(16, stream(3, "data", 7))).toEqual(before);
  expect(source.draw(4, stream(3, "data", 7)).tensors.view_2!.data).toEqual(
    before.tensors.view_2!.data.subarray(0, 4 * 32 * 32 * 3),
  );
});

test.each([
  [{ hues: 4 }, '"hues" must divide 10, got 4'],
  [{ orientations: 7 }, '"orientations" must divide 15, got 7'],
  [{ shapes: 5 }, '"shapes" must be <= 4, got 5'],
  [{ hue: 5 }, 'unknown key "hue", did you mean "hues"?'],
  [{ correlation: "shift" }, '"correlation" must be one of none, shifted'],
  [{ correlation: "shifted", unique: ["scale"] }, 'correlation "shifted" needs a unique hue, got none'],
  [{ unique: ["floor"] }, '"unique.0" must be one of floor_hue'],
])("%j is refused in one line", (options, message) => {
  expect(() => shapes3d(options)).toThrow(UsageError);
  expect(() => shapes3d(options)).toThrow(message);
  expect(() => shapes3d(options)).not.toThrow("\n");
});

test("ten shifted hues share one bit and have nothing in common", () => {
  expect(shiftedInformation(10).gacsKornerBits).toBeCloseTo(0, 12);
  expect(shiftedInformation(10).mutualBits).toBeCloseTo(1, 12);
  expect(shiftedInformation(1)).toEqual({ gacsKornerBits: 0, mutualBits: 0 });
});
