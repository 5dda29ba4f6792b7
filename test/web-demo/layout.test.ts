import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Demo, goTo, hookTimeout, openDemo, settled, skipReason } from "./demo-page.ts";

/** Where things lie on the page, from a phone to a wide screen: what a number of the page's own cannot tell. */

const widths = [390, 1100, 1280, 1440];

describe.skipIf(skipReason !== undefined)("the layout", () => {
  let demo: Demo;
  let page: Page;
  let complaints: string[];
  beforeAll(async () => {
    demo = await openDemo();
    ({ page, complaints } = await demo.open("view=theory&backend=wasm", { reducedMotion: "reduce" }));
    await settled(page);
  }, hookTimeout);
  afterEach(() => expect(complaints).toEqual([]));
  afterAll(() => demo?.close());

  const open = (hash: string): Promise<void> => goTo(page, `${hash}&backend=wasm`);
  const atEachWidth = async (check: (width: number) => Promise<void>): Promise<void> => {
    for (const width of widths) {
      await page.setViewportSize({ width, height: 900 });
      await check(width);
    }
  };

  test.each(["view=two-views&model=common-3dshapes-small&one=0&two=0", "view=one-view&model=split-encoder&one=0"])(
    "bars of bits are of one scale in all cards: %s",
    async (place) => {
      await open(place);
      await atEachWidth(async (width) => {
        const bars = await page.locator(".dimension").evaluateAll((rows) =>
          rows.map((row) => ({
            bits: Number(row.querySelector(".bits")!.textContent),
            pixels: row.querySelector(".bar")!.getBoundingClientRect().width,
            most: row.querySelector(".bar-track")!.getBoundingClientRect().width,
          })),
        );
        const most = Math.max(...bars.map(({ bits }) => bits));
        expect(most).toBeGreaterThan(4); // so many once filled the bar
        for (const bar of bars) {
          expect(bar.most, `${width} px`).toBeCloseTo(bars[0]!.most, 1);
          const rounding = (0.1 / most) * bar.most + 2; // the page shows a tenth of a bit, and an empty bar is a line
          expect(Math.abs(bar.pixels - (bar.bits / most) * bar.most), `${width} px`).toBeLessThan(rounding);
        }
      });
    },
  );

  test("every name of the menu is to be read, whole and on the page", async () => {
    for (const model of ["rotated-mnist", "split-encoder"]) {
      await open(`view=two-views&model=${model}`); // of split-encoder it says that it cannot, and is one name more
      await atEachWidth(async (width) => {
        const hidden = await page.locator("#views").evaluate((menu) => {
          const { left, right } = document.querySelector(".top")!.getBoundingClientRect();
          const inside = (link: Element): boolean => {
            const box = link.getBoundingClientRect();
            return box.left >= left && box.right <= right && link.scrollWidth <= link.clientWidth;
          };
          return [...menu.children].filter((link) => !inside(link)).map(({ textContent }) => textContent);
        });
        expect(hidden, `${model}, ${width} px`).toEqual([]);
        const beyond = await page.locator("#views").evaluate((menu) => menu.scrollWidth - menu.clientWidth);
        expect(beyond, `${model}, ${width} px`).toBeLessThanOrEqual(0);
      });
    }
  });

  test.each(["view=two-views&model=common-3dshapes-small&one=0&two=0", "view=one-view&model=split-encoder&one=0"])(
    "captions of any length leave the buttons below them some air: %s",
    async (place) => {
      await open(place);
      await atEachWidth(async (width) => {
        const gaps = await page.locator(".card").evaluateAll((cards) =>
          cards.map((card) => {
            const captions = [...card.querySelectorAll("figcaption")].map(
              (text) => text.getBoundingClientRect().bottom,
            );
            return card.querySelector(".row")!.getBoundingClientRect().top - Math.max(...captions);
          }),
        );
        expect(Math.min(...gaps), `${width} px`).toBeGreaterThanOrEqual(8);
      });
    },
  );
});
