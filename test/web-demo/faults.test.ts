import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Demo, hookTimeout, goTo, openDemo, settled, skipReason } from "./demo-page.ts";

/** No WebGPU, and files that do not come: messages and fallbacks. */

describe.skipIf(skipReason !== undefined)("backends and faults", () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await openDemo();
  }, hookTimeout);
  afterAll(() => demo?.close());

  const backendOf = '.badge summary[data-backend="wasm"]';

  test("without WebGPU, as in Firefox, a page that asks for it runs on WASM and says so", async () => {
    const { page, complaints } = await demo.open("view=theory");
    await page.addInitScript(() => Object.defineProperty(Navigator.prototype, "gpu", { get: () => undefined }));
    await page.goto("about:blank");
    await page.goto(`${demo.url}/#view=two-views&model=rotated-mnist&backend=webgpu`);
    await settled(page);
    await page.locator(backendOf).waitFor();
    expect(await page.locator("#notices").textContent()).toContain(
      "This browser has no WebGPU: running on WASM instead",
    );
    expect(complaints).toEqual([]);
  });

  test("the first paint waits for nothing: the runtime, the models and their list may all be late", async () => {
    const { page, complaints } = await demo.open("view=theory");
    for (const late of ["**/ort/**", "**/models.json", "**/models/**"]) await page.route(late, () => {});
    await page.goto("about:blank");
    await page.goto(`${demo.url}/#view=two-views&model=rotated-mnist&backend=wasm`);
    await page.getByRole("heading", { name: "What two views share" }).waitFor();
    expect(await page.locator("main .lead").textContent()).toContain("Two pictures show one thing twice");
    expect(await page.locator('#views a[aria-current="page"]').textContent()).toBe("Two views");
    await page.unroute("**/models.json");
    await goTo(page, "view=theory");
    expect(await page.locator('[data-id="gacs-korner"]').count()).toBe(1);
    expect(complaints).toEqual([]);
  });

  test("a server that wants a token: asked for, kept in the tab and out of the address, and good for everything", async () => {
    const client = "client-token-0123456789";
    const locked = await openDemo(undefined, { client });
    try {
      const { page, complaints } = await locked.open("view=two-views&model=rotated-mnist&backend=wasm");
      const token = page.getByLabel("Token");
      await token.fill("another-token-0123456789");
      await token.press("Enter");
      await page.getByText("The server does not know this token.").waitFor();
      expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
      await goTo(page, "view=theory&model=rotated-mnist&backend=wasm"); // needs no model
      expect(await page.locator('[data-id="gacs-korner"]').count()).toBe(1);
      await goTo(page, "view=training&model=rotated-mnist&backend=wasm");
      expect(await page.getByRole("button", { name: "Start", exact: true }).isEnabled()).toBe(true);

      await goTo(page, "view=two-views&model=rotated-mnist&backend=wasm");
      await token.fill(client);
      await token.press("Enter");
      await page.locator(".codes.common").waitFor();
      await page.locator("details.badge summary").click();
      await page.getByRole("button", { name: "Compare with server" }).click();
      const largest = page.locator("[data-largest]");
      await largest.waitFor();
      expect(Number(await largest.getAttribute("data-largest"))).toBeLessThan(1e-4);
      expect(page.url()).not.toContain(client);
      expect(await page.evaluate(() => localStorage.length)).toBe(0);

      await page.reload();
      await page.locator(".codes.common").waitFor(); // the tab still knows it
      await page.locator("details.badge summary").click();
      await page.getByRole("button", { name: "Forget the token" }).click();
      await token.waitFor();
      expect(await page.evaluate(() => sessionStorage.length)).toBe(0);
      expect(complaints).toEqual([]);
    } finally {
      await locked.close();
    }
  });

  test("a model that does not arrive is a message with its address, and Try again brings it", async () => {
    const { page } = await demo.open("view=theory");
    await page.route("**/encode_1/**", (route) => route.abort());
    await page.evaluate(() => {
      location.hash = "view=two-views&model=rotated-mnist&backend=wasm";
    });
    const fault = page.locator("#notices .fault");
    await fault.waitFor();
    expect(await fault.textContent()).toContain("Cannot download models/rotated-mnist/encode_1/1/model.onnx");
    await page.unroute("**/encode_1/**");
    await fault.getByRole("button", { name: "Try again" }).click();
    await settled(page);
    expect(await page.locator(".codes.common .total").textContent()).toMatch(/bits$/);
    expect(await fault.count()).toBe(0);
  });
});
