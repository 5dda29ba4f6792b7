import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { gaussianKl } from "../../information/gaussian-rate.ts";
import {
  type Demo,
  faultsOf,
  goTo,
  hookTimeout,
  largestDifference,
  openDemo,
  pixelsOf,
  settled,
  skipReason,
} from "./demo-page.ts";
import { float32, nativeModel } from "./native-model.ts";

/** Models that are not of two pictures, on WASM: numbers as the native runtime has them; accessibility. */

const bytes = (values: ArrayLike<number>): number[] => Array.from(values, (value) => Math.round(255 * value));
const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

describe.skipIf(skipReason !== undefined)("models of other kinds", () => {
  let demo: Demo;
  let page: Page;
  let complaints: string[];
  beforeAll(async () => {
    demo = await openDemo();
    ({ page, complaints } = await demo.open("view=theory&backend=wasm"));
    await settled(page);
  }, hookTimeout);
  afterEach(() => expect(complaints).toEqual([]));
  afterAll(() => demo?.close());

  const open = (hash: string): Promise<void> => goTo(page, `${hash}&backend=wasm`);
  const valuesOf = (selector: string): Promise<number[]> =>
    page
      .locator(`${selector} [data-value]`)
      .evaluateAll((all) => all.map((element) => Number((element as HTMLElement).dataset.value)));
  const dataOf = (selector: string, name: string): Promise<number> =>
    page.locator(selector).evaluate((element, key) => Number((element as HTMLElement).dataset[key]), name);

  describe("one picture", () => {
    const model = nativeModel("split-encoder");
    const dims = model.manifest.latents[0]!.dimensions.length;
    const codeOf = async (picture: number) => {
      const { latent_mean, latent_logvar } = await model.run("encode", { image: model.rows("image", [picture]) });
      return { mean: Array.from(latent_mean!.data, Number), logvar: Array.from(latent_logvar!.data, Number) };
    };
    const decode = async (code: readonly number[]) => {
      const { image } = await model.run("decode", { latent: float32([1, dims], code) });
      return bytes(image!.data as Float32Array);
    };

    test("is shown as decoded from its code, with the bits of each dimension, and follows a drag", async () => {
      await open("view=one-view&model=split-encoder&one=5");
      const code = await codeOf(5);
      expect(await pixelsOf(page, ".made canvas")).toEqual(await decode(code.mean));
      const bits = code.mean.map((value, at) => (gaussianKl(value, code.logvar[at]!, 0, 0) / Math.LN2).toFixed(1));
      expect(await page.locator(".codes .bits").allTextContents()).toEqual(bits);

      await page.locator('[data-dimension="latent_0"]').fill("1.5");
      await settled(page);
      const moved = await decode(code.mean.with(0, 1.5));
      expect(largestDifference(await pixelsOf(page, ".made canvas"), moved)).toBeLessThanOrEqual(1);
      expect(page.url()).toContain("set=latent_0");
    });

    test("each line of pictures varies one number, and a press takes its value", async () => {
      await open("view=one-view&model=split-encoder&one=9");
      const code = await codeOf(9);
      const cell = page.locator(".traversal button", { has: page.getByLabel("Number 1 at -2") });
      await cell.waitFor();
      const expected = await decode(code.mean.with(0, -2));
      expect(largestDifference(await pixelsOf(page, '[aria-label="Number 1 at -2"]'), expected)).toBeLessThanOrEqual(1);
      expect(await faultsOf(page)).toEqual([]);
      await cell.press("Enter");
      await settled(page);
      expect(largestDifference(await pixelsOf(page, ".made canvas"), expected)).toBeLessThanOrEqual(1);
    });
  });

  describe("redundancy", () => {
    const model = nativeModel("rine-canonical");

    test("of one example: what each source says, and how far apart that is", async () => {
      await open("view=redundancy&model=rine-canonical&problem=rdnxor&example=7");
      const answers = await Promise.all(
        [1, 2].map(async (source) => {
          const feeds = { [`x${source}`]: model.rows(`RDNXOR_x${source}`, [7]) };
          const { probabilities } = await model.run(`predict_${source}_rdnxor`, feeds);
          return Array.from(probabilities!.data, Number);
        }),
      );
      for (const [at, answer] of answers.entries()) {
        expect(largestDifference(await valuesOf(`[data-source="${at + 1}"]`), answer)).toBeLessThan(1e-5);
      }
      const apart = answers[0]!.reduce((sum, value, k) => sum + Math.abs(value - answers[1]![k]!), 0);
      expect(await dataOf("[data-distance]", "distance")).toBeCloseTo(apart, 4);
      const target = Number(model.rows("RDNXOR_y", [7]).data[0]);
      expect(await page.locator('[data-source="1"] dt.marked').textContent()).toContain(`class ${target}`);
    });

    test("of all examples: H(Y) minus the mean cross-entropy of the sources, beside what each tells alone", async () => {
      await open("view=redundancy&model=rine-canonical&problem=rdnxor");
      const all = Array.from({ length: model.manifest.samples!.pairs }, (_, row) => row);
      const feeds = {
        x1: model.rows("RDNXOR_x1", all),
        x2: model.rows("RDNXOR_x2", all),
        y: model.rows("RDNXOR_y", all),
      };
      const counts = new Map<number, number>();
      for (const y of feeds.y.data) counts.set(Number(y), (counts.get(Number(y)) ?? 0) + 1);
      const entropy = [...counts.values()].reduce((sum, n) => sum - (n / all.length) * Math.log2(n / all.length), 0);
      const agreeing = await model.run("redundant_information_rdnxor", feeds);
      const nats = [1, 2].map((source) => mean(Array.from(agreeing[`cross_entropy_${source}`]!.data, Number)));
      const bits = (id: string): Promise<number> => dataOf(`[data-id="${id}"]`, "bits");
      expect(await bits("entropy")).toBeCloseTo(entropy, 6);
      expect(await bits("redundant")).toBeCloseTo(entropy - mean(nats) / Math.LN2, 4);
      expect(await bits("redundant")).toBeCloseTo(1, 1); // RDNXOR: one bit is redundant, one is synergy
      expect(await dataOf("[data-disagreement]", "disagreement")).toBeCloseTo(
        mean(Array.from(agreeing.disagreement!.data, Number)),
        4,
      );

      const parts = await model.run("partial_information_rdnxor", feeds);
      const names = model.manifest.tasks.partial_information_rdnxor!.outputs[0]!.names!;
      const column = (name: string): number[] =>
        all.map((row) => Number(parts.cross_entropy!.data[row * names.length + names.indexOf(name)]));
      expect(await bits("alone-2")).toBeCloseTo(entropy - mean(column("beta0.x2")) / Math.LN2, 4);
      expect(await bits("together")).toBeCloseTo(entropy - mean(column("joint")) / Math.LN2, 4);
      expect(await faultsOf(page)).toEqual([]);
    });
  });

  describe("the card of a model", () => {
    test("runs a task on what the visitor draws", async () => {
      await open("view=model&model=judge-mnist");
      const canvas = page.locator('[data-view="view_1"] .given canvas');
      const box = (await canvas.boundingBox())!;
      await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.2 * box.height);
      await page.mouse.down();
      await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.8 * box.height, { steps: 4 });
      await page.mouse.up();
      await page.getByRole("button", { name: "Done" }).click();
      await page.locator(".bench-tensors:not([aria-busy]) [data-tensor='logits']").waitFor();
      const pixels = await pixelsOf(page, '[data-view="view_1"] .given canvas');
      const judge = nativeModel("judge-mnist");
      const { logits } = await judge.run("classify", {
        view_1: { dtype: "uint8", shape: [1, 32, 32, 1], data: Uint8Array.from(pixels) },
      });
      const expected = Array.from(logits!.data, Number);
      expect(expected.indexOf(Math.max(...expected))).toBe(1); // an upright stroke is a one
      expect(largestDifference(await valuesOf('[data-tensor="logits"]'), expected)).toBeLessThan(1e-3);
      expect(await faultsOf(page)).toEqual([]);
    });

    test("shows what was measured, and pictures that a task makes of a code", async () => {
      await open("view=model&model=rotated-mnist&task=decode&row=3");
      await page.locator('[data-tensor="view_1"] canvas').waitFor();
      const [common, unique1, unique2] = await Promise.all(
        ["common", "unique_1", "unique_2"].map((name) => valuesOf(`[data-tensor="${name}"]`)),
      );
      const { view_1 } = await nativeModel("rotated-mnist").run("decode", {
        common: float32([1, 4], common!),
        unique_1: float32([1, 2], unique1!),
        unique_2: float32([1, 2], unique2!),
      });
      const shown = await pixelsOf(page, '[data-tensor="view_1"] canvas');
      expect(largestDifference(shown, bytes(view_1!.data as Float32Array))).toBeLessThanOrEqual(1);
      expect(await page.locator("table code").first().textContent()).toBe(
        nativeModel("rotated-mnist").manifest.evaluation[0]!.quantity,
      );
    });
  });
});
