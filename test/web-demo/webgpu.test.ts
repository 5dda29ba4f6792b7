import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Demo, hookTimeout, goTo, largestDifference, openDemo, pixelsOf, skipReason } from "./demo-page.ts";
import { float32, nativeModel } from "./native-model.ts";
import { expectSameTerms, type Terms, termsSeen, trainInPage, trainNatively } from "./native-training.ts";

/**
 * The page on WebGPU (SwiftShader), one page from test to test: the software driver needs half a second for each of the
 * 95 shaders, and they stay with the device.
 */

const keepDevice = `
const request = GPUAdapter.prototype.requestDevice;
GPUAdapter.prototype.requestDevice = async function (...wanted) {
  return (globalThis.device = await request.apply(this, wanted));
};`;

const model = nativeModel("rotated-mnist");
const steps = 3;
const tolerance = 1e-3;
/** Half a minute on two quiet cores; minutes where others use them. */
const timeout = 400_000;

describe.skipIf(skipReason !== undefined)("on WebGPU", { timeout }, () => {
  let demo: Demo;
  let page: Page;
  let complaints: string[];
  let native: Terms[];
  beforeAll(async () => {
    demo = await openDemo();
    native = await trainNatively(steps);
    ({ page, complaints } = await demo.open("view=theory&backend=webgpu"));
    page.setDefaultTimeout(timeout);
    // The device is the runtime's own, inside the worker: it is kept where the last test can destroy it.
    await page.context().route("**/assets/worker-*.js", async (route) => {
      const response = await route.fetch();
      await route.fulfill({ response, body: `${keepDevice}\n${await response.text()}` });
    });
  }, hookTimeout);
  afterEach(() => expect(complaints).toEqual([]));
  afterAll(() => demo?.close());

  const badge = (backend: string) => page.locator(`.badge summary[data-backend="${backend}"]`);

  test("two views: the badge says so, and pictures are those of the native runtime within one step of 255", async () => {
    await goTo(page, "view=two-views&model=rotated-mnist&backend=webgpu&one=3&two=3");
    await badge("webgpu").waitFor();
    const first = await model.run("encode_1", { view_1: model.images(1, [3]) });
    const second = await model.run("encode_2", { view_2: model.images(2, [3]) });
    const decoded = await model.run("decode", {
      unique_1: float32([1, 2], first.unique_1_mean!.data as Float32Array),
      common: float32([1, 4], first.common_mean!.data as Float32Array),
      unique_2: float32([1, 2], second.unique_2_mean!.data as Float32Array),
    });
    const expected = Array.from(decoded.view_1!.data as Float32Array, (value) => Math.round(255 * value));
    const shown = await pixelsOf(page, '[data-view="1"] .made canvas');
    expect(Math.max(...expected)).toBeGreaterThan(200);
    expect(largestDifference(shown, expected)).toBeLessThanOrEqual(1);
    expect(await page.locator("#notices p").count()).toBe(0);
  });

  test("training: the loss falls, and each term of the first steps is the native engine's within 1e-3", async () => {
    await goTo(page, "view=training&backend=webgpu");
    const terms = await trainInPage(page, steps);
    expectSameTerms(terms, native, tolerance);
    expect(terms.at(-1)!.loss).toBeLessThan(0.99 * terms[0]!.loss!);
    expect(await badge("webgpu").count()).toBe(1);
  });

  test("lost in the midst of training: a message, and WASM trains from the last copy, with the same losses, and shows pictures", async () => {
    await page
      .workers()[0]!
      .evaluate(() => (globalThis as unknown as { device: { destroy(): void } }).device.destroy());
    await badge("wasm").waitFor();
    expect(await page.locator("#notices").textContent()).toMatch(/The GPU was lost \(.+\): running on WASM instead/);
    await page.getByRole("button", { name: "Go on" }).click();
    await page.waitForFunction((count) => {
      const { textContent, dataset } = document.querySelector<HTMLElement>("[data-step]")!;
      return textContent!.endsWith("on WASM.") && Number(dataset.step) >= count;
    }, steps);
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Go on" }).waitFor();
    expectSameTerms(await termsSeen(page, steps), native, tolerance); // from the start again: the last copy is of step 0

    await goTo(page, "view=two-views&model=rotated-mnist&backend=webgpu");
    await page.locator('[data-dimension="common_0"]').fill("2.5");
    await page.locator('[data-view="1"] .moved[data-moved]:not([data-moved=""])').waitFor();
    expect(Number(await page.locator('[data-view="1"] .moved').getAttribute("data-moved"))).toBeGreaterThan(1);
    expect(await page.locator(".fault").count()).toBe(0);
  });
});
