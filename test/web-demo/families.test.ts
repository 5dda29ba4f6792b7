import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Demo, goTo, hookTimeout, type OpenPage, openDemo, skipReason } from "./demo-page.ts";
import { nativeModel } from "./native-model.ts";

/** Bundles of other families beside the one that every view shows: a model is never a blank page. */

describe.skipIf(skipReason !== undefined)("bundles of several families", () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await openDemo();
  }, hookTimeout);
  afterAll(() => demo?.close());

  /** Bundles of two pictures, in the order of the list. */
  const twoPictures = ["common-3dshapes-small", "rotated-mnist"];
  const lead = ({ page }: OpenPage): Promise<string | null> => page.locator("main .lead").textContent();

  test("who chooses no model gets one that the view shows, whatever comes first in the list", async () => {
    const { page, complaints } = await demo.open("view=two-views&backend=wasm");
    await page.locator(".codes.common").waitFor();
    expect(await page.locator("#model-choice select").inputValue()).toBe(twoPictures[0]);
    expect(complaints).toEqual([]);
  });

  test("a view that cannot show a model says what the bundle lacks, and leads to one that it can", async () => {
    const opened = await demo.open("view=theory&backend=wasm");
    const { page, complaints } = opened;
    for (const [model, reads] of [
      ["split-encoder", "image"],
      ["rine-canonical", "x1, x2, y"],
      ["judge-mnist", "view_1"],
    ]) {
      for (const view of ["two-views", "style-transfer", "latent-map", "how-much"]) {
        await page.evaluate((to) => {
          location.hash = to;
        }, `view=${view}&model=${model}&backend=wasm`);
        await page.locator(`main a[href*="view=${view}"]`).waitFor();
        expect(await lead(opened), `${view} of ${model}`).toMatch(
          new RegExp(
            `cannot be shown here: this view compares two pictures of one thing, and the model reads ${reads}\\.`,
          ),
        );
        await goTo(page, "view=theory&backend=wasm");
      }
    }
    await page.evaluate(() => {
      location.hash = "view=two-views&model=judge-mnist&backend=wasm";
    });
    await page.getByRole("link", { name: `Show ${twoPictures[0]} instead` }).click();
    await page.locator(".codes.common").waitFor();
    expect(complaints).toEqual([]);
  });

  test("a bundle that draws one view in another style shows that one, and offers no other", async () => {
    const { page, complaints } = await demo.open("model=w-vae-mnist&draws=2&backend=wasm");
    await page.locator('.pictures-grid[data-style="1"]').waitFor();
    expect(await page.locator(".pictures-grid td canvas").count()).toBe(36);
    expect(await page.getByLabel("Make pictures of").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  test("style transfer says what the data is and which label a column has, where that is not the digit at its head", async () => {
    const { page, complaints } = await demo.open("view=style-transfer&model=w-vae-mnist&backend=wasm");
    const { manifest, labels } = nativeModel("w-vae-mnist");
    const expected = page.locator(".expected");
    await expected.first().waitFor();
    const known = [6, 7, 8, 9, 10, 11].map((pair) => `label ${labels(1, "label")[pair]}`);
    expect(await expected.allTextContents()).toEqual(known);
    const cells = page.locator(".pictures-grid tr:nth-child(2) td canvas");
    const said = await cells.evaluateAll((all) => all.map((cell) => cell.ariaLabel!.split(" in the style of ")[0]));
    expect(said).toEqual(known);
    expect(await page.locator("main").textContent()).toContain(manifest.data.summary);
    expect(complaints).toEqual([]);
  });

  test("the badge tells the time of a model's own runs, and none of a model that has not run", async () => {
    const { page } = await demo.open("view=style-transfer&model=w-vae-mnist&backend=wasm");
    const badge = page.locator(".badge summary");
    await badge.filter({ hasText: /ms a run · w-vae-mnist/ }).waitFor();
    await goTo(page, "view=style-transfer&model=judge-mnist&backend=wasm"); // which cannot be shown there
    expect(await badge.textContent()).toBe("WASM · judge-mnist");
    await goTo(page, "view=theory&model=judge-mnist&backend=wasm"); // which is of no model
    expect(await badge.textContent()).toBe("WASM");
  });

  test("a model chosen from the list opens in a view that shows it, and the menu has the views that can", async () => {
    const { page, complaints } = await demo.open("view=two-views&model=rotated-mnist&backend=wasm");
    const choice = page.locator("#model-choice select");
    const menu = (): Promise<string[]> => page.locator("#views a").allTextContents();
    const expected: readonly (readonly [model: string, place: string, views: readonly string[]])[] = [
      ["split-encoder", ".one-story", ["One picture"]],
      ["rine-canonical", "[data-source]", ["Redundancy"]],
      ["rotated-mnist", ".story", ["Two views", "Style transfer", "Latent map", "How much"]],
      ["judge-mnist", '[data-tensor="logits"]', []],
    ];
    await choice.waitFor();
    for (const [model, place, views] of expected) {
      await choice.selectOption(model);
      await page.locator(place).first().waitFor();
      expect(await menu(), model).toEqual([...views, "Model", "Theory", "Train here"]);
    }
    await page.goto("about:blank");
    await page.goto(`${demo.url}/#model=rine-canonical&backend=wasm`);
    await page.locator("[data-source]").first().waitFor();
    expect(complaints).toEqual([]);
  });
});
