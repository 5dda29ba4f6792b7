import { expect, test } from "vitest";
import { UsageError } from "../../../schemas/errors.ts";
import { createDspritesRenderer } from "../../../train/data/dsprites-renderer.ts";
import { openSource, sourceNames, sourceNeedsFiles } from "../../../train/data/open-source.ts";
import { stream } from "../../../train/random.ts";

const dsprites = (options: Record<string, unknown> = {}) => openSource({ source: "dsprites", ...options });
const sizesOf = (options: Record<string, unknown>): number[] =>
  dsprites(options).description.factors.map(({ size }) => size);

test("dsprites without options is the paper's Common-dsprites: 64x64, positions unique, 9.492 bits", () => {
  const { description } = dsprites();
  expect(description.views).toEqual([
    { name: "view_1", height: 64, width: 64, channels: 1 },
    { name: "view_2", height: 64, width: 64, channels: 1 },
  ]);
  expect(description.factors).toEqual([
    { name: "shape", size: 3, role: "common" },
    { name: "scale", size: 6, role: "common" },
    { name: "orientation", size: 40, role: "common" },
    { name: "position_x", size: 32, role: "unique" },
    { name: "position_y", size: 32, role: "unique" },
  ]);
  expect(description.commonInformationBits).toBeCloseTo(Math.log2(720), 12);
});

test("the roles may be turned round: the paper's variant with common positions has 10 bits", () => {
  expect(dsprites({ unique: ["shape", "scale", "orientation"] }).description.commonInformationBits).toBe(10);
  expect(dsprites({ common: ["position_x", "position_y"] }).description.commonInformationBits).toBe(10);
});

test.each([32, 64] as const)("every image of a %d-pixel batch is the renderer's image of its labels", (size) => {
  const { tensors, labels } = dsprites({ size }).draw(50, stream(1, "batch"));
  const render = createDspritesRenderer(size);
  const expected = new Uint8Array(size * size);
  for (const [view, name] of ["view_1", "view_2"].entries()) {
    const tensor = tensors[name]!;
    expect([tensor.dtype, tensor.shape]).toEqual(["uint8", [50, size, size, 1]]);
    for (let row = 0; row < 50; row++) {
      const at = (factor: string): number => labels[view]![factor]![row]!;
      const [shape, scale, orientation, x, y] = ["shape", "scale", "orientation", "position_x", "position_y"].map(at);
      render({ shape: shape!, scale: scale!, orientation: orientation!, x: x!, y: y! }, expected, 0);
      expect(tensor.data.subarray(row * size * size, (row + 1) * size * size)).toEqual(expected);
    }
  }
});

test("a thinned factor keeps every n-th value from 0 on", () => {
  expect(sizesOf({ scales: 2, orientations: 10, positions: 16 })).toEqual([3, 2, 10, 16, 16]);
  const { tensors, labels } = dsprites({ scales: 2, orientations: 10, positions: 16 }).draw(20, stream(2, "batch"));
  const render = createDspritesRenderer(64);
  const expected = new Uint8Array(4096);
  for (let row = 0; row < 20; row++) {
    const at = (factor: string): number => labels[0][factor]![row]!;
    render(
      {
        shape: at("shape"),
        scale: at("scale") * 3,
        orientation: at("orientation") * 4,
        x: at("position_x") * 2,
        y: at("position_y") * 2,
      },
      expected,
      0,
    );
    expect(tensors.view_1!.data.subarray(row * 4096, (row + 1) * 4096)).toEqual(expected);
  }
});

test("a batch depends on its size and address only", () => {
  const source = dsprites({ size: 32 });
  const before = source.draw(16, stream(3, "data", 7));
  source.draw(100, stream(3, "data", 8));
  expect(source.draw(16, stream(3, "data", 7))).toEqual(before);
  expect(dsprites({ size: 32 }).draw(16, stream(3, "data", 7))).toEqual(before);
  expect(source.draw(4, stream(3, "data", 7)).tensors.view_1!.data).toEqual(
    before.tensors.view_1!.data.subarray(0, 4096),
  );
});

test("opening a source does not change its options: a recipe is stored as it was given", () => {
  const config = Object.freeze({ source: "dsprites" });
  openSource(config);
  expect(config).toEqual({ source: "dsprites" });
});

test.each([
  [{ source: "dsprite" }, `must be one of ${sourceNames.join(", ")}, did you mean "dsprites"?`],
  [{ source: "toString" }, `must be one of ${sourceNames.join(", ")}`],
  [{ source: "dsprites", size: 48 }, '"size" must be one of 32, 64, got 48'],
  [{ source: "dsprites", positon: 16 }, 'unknown key "positon", did you mean "positions"?'],
  [{ source: "dsprites", positions: 5 }, '"positions" must divide 32, got 5'],
  [{ source: "dsprites", orientations: 80 }, '"orientations" must be <= 40, got 80'],
  [{ source: "dsprites", unique: ["posX"] }, '"unique.0" must be one of shape, scale, orientation'],
  [{ source: "dsprites", unique: ["scale", "scale"] }, 'factor "scale" must have one role, got it twice'],
  [{ source: "rotated-digits", split: "validation" }, '"split" must be one of train, test, got "validation"'],
])("%j is refused in one line", (config, message) => {
  const attempt = (): unknown => openSource(config, { dataDir: "none" });
  expect(attempt).toThrow(UsageError);
  expect(attempt).toThrow(message);
  expect(attempt).not.toThrow("\n");
});

test("a command can ask which sources need files", () => {
  const drawn = sourceNames.filter((name) => !sourceNeedsFiles(name));
  expect(drawn).toEqual(["dsprites", "shapes3d", "drawn-digits", "canonical-tasks"]);
  for (const name of ["rotated-digits", "dsprites-file", "cars3d", "cifar10"])
    expect(sourceNeedsFiles(name)).toBe(true);
});

test("the summary says that two orientations look the same where both are common values", () => {
  expect(dsprites().description.summary).toBe(
    "procedural dSprites 64x64, common: shape, scale, orientation (9.492 bits of factor values; orientations 0 and 39 look the same), unique: position_x, position_y",
  );
  expect(dsprites({ orientations: 20 }).description.summary).not.toContain("look the same");
  expect(dsprites({ common: ["shape"] }).description.summary).not.toContain("look the same");
});
