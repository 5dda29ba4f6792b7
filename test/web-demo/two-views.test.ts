import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { gaussianKl } from "../../information/gaussian-rate.ts";
import {
  type Demo,
  hookTimeout,
  goTo,
  largestDifference,
  openDemo,
  pixelsOf,
  settled,
  skipReason,
} from "./demo-page.ts";
import { float32, nativeModel } from "./native-model.ts";

/** The first view of the demo on WASM: pictures and bits as the native runtime has them. */

const model = nativeModel("rotated-mnist");
/** A pixel is a whole number; float32 runtimes may fall on either side of a half. */
const pixelTolerance = 1;

const made = (view: 1 | 2): string => `[data-view="${view}"] .made canvas`;

describe.skipIf(skipReason !== undefined)("two views", () => {
  let demo: Demo;
  let page: Page;
  let complaints: string[];
  beforeAll(async () => {
    demo = await openDemo();
    ({ page, complaints } = await demo.open(place("one=0&two=0")));
    await settled(page);
  }, hookTimeout);
  afterEach(() => expect(complaints).toEqual([]));
  afterAll(() => demo?.close());

  const place = (more: string): string => `view=two-views&model=rotated-mnist&backend=wasm&${more}`;
  const open = (more: string): Promise<void> => goTo(page, place(more));

  /** Codes of pair `one` in view 1 and pair `two` in view 2, by the native runtime. */
  const codesOf = async (one: number, two: number) => ({
    first: await model.run("encode_1", { view_1: model.images(1, [one]) }),
    second: await model.run("encode_2", { view_2: model.images(2, [two]) }),
  });

  const decode = async (unique1: ArrayLike<number>, common: ArrayLike<number>, unique2: ArrayLike<number>) => {
    const feeds = {
      unique_1: float32([1, 2], unique1),
      common: float32([1, 4], common),
      unique_2: float32([1, 2], unique2),
    };
    const { view_1, view_2 } = await model.run("decode", feeds);
    return [view_1!, view_2!].map(({ data }) => Array.from(data as Float32Array, (value) => Math.round(255 * value)));
  };

  test("shows each picture as decoded from its own and the common code, and the bits of each dimension", async () => {
    await open("one=3&two=3");
    const { first, second } = await codesOf(3, 3);
    expect(await pixelsOf(page, '[data-view="1"] .given canvas')).toEqual(
      Array.from(model.images(1, [3]).data, Number),
    );
    const own = [first.unique_1_mean!.data, second.unique_2_mean!.data] as Float32Array[];
    const [view1] = await decode(own[0]!, first.common_mean!.data as Float32Array, own[1]!);
    const [, view2] = await decode(own[0]!, second.common_mean!.data as Float32Array, own[1]!);
    expect(largestDifference(await pixelsOf(page, made(1)), view1!)).toBeLessThanOrEqual(pixelTolerance);
    expect(largestDifference(await pixelsOf(page, made(2)), view2!)).toBeLessThanOrEqual(pixelTolerance);

    const bits = Array.from({ length: 4 }, (_, at) => {
      const rates = [first, second].map(({ common_mean, common_logvar }) =>
        gaussianKl(Number(common_mean!.data[at]), Number(common_logvar!.data[at]), 0, 0),
      );
      return ((rates[0]! + rates[1]!) / 2 / Math.LN2).toFixed(1);
    });
    expect(await page.locator(".codes.common .bits").allTextContents()).toEqual(bits);
  });

  test("a dragged common dimension changes both pictures, a unique one only its own, and the link keeps it", async () => {
    await open("one=7&two=7");
    const moved = async (dimension: string, value: string): Promise<[number, number]> => {
      await page.locator(`[data-dimension="${dimension}"]`).fill(value);
      await settled(page);
      const shown = await page.locator(".moved").evaluateAll((all) => all.map((e) => Number(e.dataset.moved)));
      await page.getByRole("button", { name: "Undo" }).click();
      await settled(page);
      return shown as [number, number];
    };
    const [common1, common2] = await moved("common_0", "2.5");
    expect(Math.min(common1, common2)).toBeGreaterThan(5);
    const [own, strange] = await moved("unique_1_0", "2.5");
    expect(own).toBeGreaterThan(5);
    expect(strange).toBeLessThan(0.2 * own); // this model's decoders do see the other view's own code, and hardly heed it

    await page.locator('[data-dimension="unique_2_0"]').fill("-2");
    await settled(page);
    const before = await pixelsOf(page, made(2));
    const address = page.url();
    await open("one=0&two=0");
    expect(await pixelsOf(page, made(2))).not.toEqual(before);
    await goTo(page, address.split("#")[1]!);
    expect(await pixelsOf(page, made(2))).toEqual(before);
  });

  test("a press changes what is common in both pictures, or one view's own code in its picture, and says how far", async () => {
    await page.emulateMedia({ reducedMotion: "reduce" }); // at once
    await page.evaluate(() => {
      Date.now = () => 1; // seeds which other pair is taken
    });
    for (const { name, block, times } of [
      { name: "Change what is common", block: "common", times: { two: 2, one: 2 } },
      { name: "Change what is view 2's own", block: "unique_2", times: { one: 1 / 3 } }, // view 1 may not move at all
    ] as const) {
      await open("one=7&two=7");
      await page.getByRole("button", { name }).click();
      const said = page.locator(".said", { hasText: "changed by" });
      await said.waitFor();
      const [one, two] = (await said.textContent())!.match(/(?<=by )\d+/g)!.map(Number) as [number, number];
      expect(two).toBeGreaterThan(5);
      expect(one).toBeLessThan(times.one * two);
      if ("two" in times) expect(two).toBeLessThan(times.two * one);

      const set = new URLSearchParams(page.url().split("#")[1]).get("set")!;
      const values = set.split(",").map((entry) => Number(entry.split(":")[1]));
      expect(set.split(",").every((entry) => entry.startsWith(`${block}_`))).toBe(true);
      const { first, second } = await codesOf(7, 7);
      const code = (own: 1 | 2): ArrayLike<number> =>
        block === `unique_${own}` ? values : ((own === 1 ? first : second)[`unique_${own}_mean`]!.data as Float32Array);
      const common = block === "common" ? values : (second.common_mean!.data as Float32Array);
      const [, view2] = await decode(code(1), common, code(2));
      // The address keeps two digits of a code.
      expect(largestDifference(await pixelsOf(page, made(2)), view2!)).toBeLessThanOrEqual(pixelTolerance + 2);
    }
    await page.emulateMedia({ reducedMotion: null });
  });

  test("swapped, each picture takes the other's common code and keeps its own", async () => {
    const labels = model.labels(1, "label");
    const two = labels.findIndex((label) => label !== labels[3]);
    await open(`one=3&two=${two}`);
    await page.getByRole("button", { name: "Swap the common codes" }).click();
    await settled(page);
    const { first, second } = await codesOf(3, two);
    const own = [first.unique_1_mean!.data, second.unique_2_mean!.data] as Float32Array[];
    const [view1] = await decode(own[0]!, second.common_mean!.data as Float32Array, own[1]!);
    expect(largestDifference(await pixelsOf(page, made(1)), view1!)).toBeLessThanOrEqual(pixelTolerance);
  });

  test("a hidden view is generated from the other: several, which differ", async () => {
    await open("one=5&two=5");
    await page.locator('[data-view="2"]').getByRole("button", { name: "Hide" }).click();
    const draws = page.locator('[data-view="2"] .draws canvas');
    await draws.nth(5).waitFor();
    const first = await pixelsOf(page, '[data-view="2"] .draws canvas:nth-child(1)');
    const second = await pixelsOf(page, '[data-view="2"] .draws canvas:nth-child(2)');
    expect(Math.max(...first)).toBeGreaterThan(100);
    expect(largestDifference(first, second)).toBeGreaterThan(20);
    expect(await page.locator(".codes.unique_2 .bits").allTextContents()).toEqual(["", ""]);
    const caption = page.locator('[data-view="2"] .given figcaption');
    const before = await caption.textContent();
    await page.locator('[data-view="2"]').getByRole("button", { name: "Show" }).click();
    await caption.waitFor();
    expect(before).toMatch(/^label \d, rotation \d$/);
    expect(await caption.textContent()).toBe(before);
  });

  test("what the visitor draws is encoded, and the link brings it back", async () => {
    await open("one=5&two=5");
    const card = page.locator('[data-view="1"]');
    const before = await page.locator(".codes.unique_1 .bits").allTextContents();
    await card.getByRole("button", { name: "Draw" }).click();
    const box = (await card.locator(".given canvas").boundingBox())!;
    await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.2 * box.height);
    await page.mouse.down();
    await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.8 * box.height, { steps: 5 });
    await page.mouse.up();
    await card.getByRole("button", { name: "Done" }).click();
    await page.waitForURL(/one=[\w-]{20,}/);
    const drawn = await pixelsOf(page, '[data-view="1"] .given canvas');
    expect(drawn[16 * 32 + 16]).toBeGreaterThan(200);
    await settled(page);
    expect(await page.locator(".codes.unique_1 .bits").allTextContents()).not.toEqual(before);
    const address = page.url().split("#")[1]!;
    await open("one=0&two=0");
    await goTo(page, address);
    expect(await pixelsOf(page, '[data-view="1"] .given canvas')).toEqual(drawn);
  });
});
