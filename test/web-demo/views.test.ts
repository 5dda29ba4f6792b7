import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { doublySymmetricBinary } from "../../information/common-information-examples.ts";
import {
  type Demo,
  faultsOf,
  hookTimeout,
  goTo,
  largestDifference,
  leaving,
  openDemo,
  pixelsOf,
  settled,
  skipReason,
} from "./demo-page.ts";
import { float32, nativeModel } from "./native-model.ts";

/** The other views on WASM, in one page: numbers as the native runtime and information/ have them; accessibility. */

const model = nativeModel("rotated-mnist");
const all = Array.from({ length: model.manifest.samples!.pairs }, (_, pair) => pair);
const meanBits = (nats: ArrayLike<number>): number =>
  Array.from(nats).reduce((sum, value) => sum + value, 0) / nats.length / Math.LN2;

describe.skipIf(skipReason !== undefined)("the views", () => {
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

  const open = (hash: string): Promise<void> => goTo(page, `${hash}&model=rotated-mnist&backend=wasm`);
  const bits = (id: string): Promise<number> =>
    page.locator(`[data-id="${id}"]`).evaluate((element) => Number((element as HTMLElement).dataset.bits));

  test("theory: measures of a table are those of information/, and follow an edit", async () => {
    await goTo(page, "view=theory&pair=noisy");
    const known = doublySymmetricBinary(0.1);
    expect(await bits("gacs-korner")).toBe(0);
    expect(await bits("mutual")).toBeCloseTo(known.mutualInformationBits, 6);
    expect(await bits("wyner")).toBeCloseTo(known.wynerBits, 3);
    await page.getByLabel("Weight of X 0, Y 1").fill("0");
    await page.getByLabel("Weight of X 1, Y 0").fill("0");
    expect(await bits("gacs-korner")).toBeCloseTo(1, 6);
    expect(await bits("BROJA.redundant")).toBeCloseTo(0.311278, 5); // AND: 3/4 log2 4/3
    expect(await bits("I_and.redundant")).toBeCloseTo(0, 6);
    expect(page.url()).toContain("cells=");
    expect(await faultsOf(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await faultsOf(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: null });
  });

  test("style transfer: a cell has the content of its column in the style of its row", async () => {
    await open("view=style-transfer&styles=0.1.2.3.4.5&contents=6.7.8.9.10.11");
    const { styled_view_1 } = await model.run("style_transfer_1", {
      view_1: model.images(1, [2]),
      view_2: model.images(2, [9]),
    });
    const expected = Array.from(styled_view_1!.data as Float32Array, (value) => Math.round(255 * value));
    const cell = ".pictures-grid tr:nth-child(4) td:nth-of-type(4) canvas";
    expect(largestDifference(await pixelsOf(page, cell), expected)).toBeLessThanOrEqual(1);
    expect(await faultsOf(page)).toEqual([]);
  });

  test("latent map: the pictures are decoded from the code under the cross", async () => {
    await open("view=latent-map&of=common.1&base=4");
    await page.locator("canvas.map").focus();
    await page.keyboard.press("ArrowRight");
    await settled(page);
    const code = await page.locator("canvas.map").evaluate((map) => (map as HTMLElement).dataset.code!);
    const first = await model.run("encode_1", { view_1: model.images(1, [4]) });
    const second = await model.run("encode_2", { view_2: model.images(2, [4]) });
    const { view_2 } = await model.run("decode", {
      unique_1: float32([1, 2], first.unique_1_mean!.data as Float32Array),
      common: float32([1, 4], code.split(",").map(Number)),
      unique_2: float32([1, 2], second.unique_2_mean!.data as Float32Array),
    });
    const expected = Array.from(view_2!.data as Float32Array, (value) => Math.round(255 * value));
    expect(largestDifference(await pixelsOf(page, ".made:nth-child(2) canvas"), expected)).toBeLessThanOrEqual(1);
    expect(await faultsOf(page)).toEqual([]);

    expect(await page.getByLabel("Colour").inputValue()).toBe("label");
    await open("view=latent-map&of=unique_1.1"); // what this code should tell, unless another is asked for
    expect(await page.getByLabel("Colour").inputValue()).toBe("rotation");
    await open("view=latent-map&of=unique_1.1&colour=label");
    expect(await page.getByLabel("Colour").inputValue()).toBe("label");
  });

  test("how much: rates of the chosen pairs, next to the exact value of their labels", async () => {
    await open("view=how-much&keep=0.1");
    const labels = model.labels(1, "label");
    const chosen = all.filter((pair) => labels[pair]! < 2);
    const native = await model.run("common_information", {
      view_1: model.images(1, chosen),
      view_2: model.images(2, chosen),
    });
    expect(await bits("rate-1")).toBeCloseTo(meanBits(native.total_common_1!.data as Float32Array), 3);
    expect(await bits("disagreement")).toBeCloseTo(meanBits(native.disagreement_1to2!.data as Float32Array), 3);
    const share = chosen.filter((pair) => labels[pair] === 0).length / chosen.length;
    const entropy = -share * Math.log2(share) - (1 - share) * Math.log2(1 - share);
    expect(await bits("exact")).toBeCloseTo(entropy, 6);
    expect(await bits("usable")).toBeGreaterThan(0.8 * entropy);
    expect(await page.locator("[data-whole]").textContent()).toBe("3.320 bits");

    await page.getByLabel("Pairs are").selectOption("no");
    await settled(page);
    expect(await bits("exact")).toBeLessThan(0.01); // pairs that do not belong together share nothing for certain
    expect(await faultsOf(page)).toEqual([]);
  });

  test("by keyboard alone: the focus stays where it was, in the menu, at a choice, at a picture that is pressed", async () => {
    const focused = (): Promise<string> =>
      page.evaluate(() => {
        const element = document.activeElement as HTMLElement;
        return element.ariaCurrent === null
          ? `${element.tagName} ${element.className}`
          : `current ${element.textContent}`;
      });
    await page.locator("#views a", { hasText: "How much" }).focus();
    await leaving(page); // the view before may be the same one
    await page.keyboard.press("Enter");
    await settled(page);
    await page.getByRole("heading", { name: "How much is shared" }).waitFor();
    expect(await focused()).toBe("current How much");

    const pairs = page.locator(".actions select").first();
    await pairs.focus();
    await page.keyboard.press("ArrowUp");
    await settled(page);
    expect(await pairs.inputValue()).toBe("256");
    expect(await focused()).toBe("SELECT ");

    await open("view=style-transfer&styles=0.1.2.3.4.5&contents=6.7.8.9.10.11");
    await page.locator(".head.own").nth(2).focus();
    await page.keyboard.press("Enter");
    await settled(page);
    expect(await focused()).toBe("BUTTON head own");
    expect(page.url()).not.toContain("styles=0.1.2.3.4.5");
  });

  test("two views: no serious fault, on a phone and in the dark neither, and the server says the same numbers", async () => {
    await open("view=two-views");
    expect(await faultsOf(page)).toEqual([]);
    await page.locator("details.badge summary").click();
    await page.getByRole("button", { name: "Compare with server" }).click();
    const largest = page.locator("[data-largest]");
    await largest.waitFor();
    expect(Number(await largest.getAttribute("data-largest"))).toBeLessThan(1e-4);
    await page.emulateMedia({ colorScheme: "dark", reducedMotion: "reduce" });
    await page.setViewportSize({ width: 360, height: 740 });
    expect(await faultsOf(page)).toEqual([]);
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(overflow).toBeLessThanOrEqual(0);
  });
});
