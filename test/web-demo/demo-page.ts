import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import axe from "axe-core";
import { type Browser, chromium, type Page } from "playwright-core";
import { type RunningServer, startServer } from "../../serve/start-server.ts";
import type { Tokens } from "../../serve/edge/tokens.ts";
import { typescriptOptions } from "../serve/client.ts";

/** The built site, served by `cominfo serve`, in Debian's Chromium. */

const root = fileURLToPath(new URL("../..", import.meta.url));

const executable = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"].find(existsSync);

/** Why the demo cannot be tested here; undefined where it can. With `CI` set a missing browser is a failure. */
export const skipReason = reasonToSkip();

function reasonToSkip(): string | undefined {
  if (executable !== undefined) return undefined;
  const reason = "no chromium in /usr/bin; Debian: apt install chromium";
  if (process.env.CI) throw new Error(`Cannot test the demo: CI must have a browser, got ${reason}`);
  console.warn(`Demo tests are skipped: ${reason}`);
  return reason;
}

/** The first file to start may have to build the site. */
export const hookTimeout = 400_000;

export interface Demo {
  readonly url: string;
  readonly server: RunningServer;
  readonly browser: Browser;
  /** A page at a place of the demo, in a browser context of its own. What its console says is in `complaints`. */
  open(hash: string, options?: Parameters<Browser["newContext"]>[0]): Promise<OpenPage>;
  close(): Promise<void>;
}

export interface OpenPage {
  readonly page: Page;
  /** Errors and warnings of the console, uncaught errors. */
  readonly complaints: string[];
}

export async function openDemo(repository = path.join(root, "models"), tokens: Tokens = {}): Promise<Demo> {
  const built = spawnSync(process.execPath, ["scripts/demo.mjs", "--if-stale"], { cwd: root, encoding: "utf8" });
  if (built.status !== 0) throw new Error(`Cannot build the demo: ${built.stderr}`);
  process.env.NODE_OPTIONS = typescriptOptions; // for the worker process of the server
  const server = await startServer({ repository, port: 0, threads: 1, tokens });
  const browser = await chromium.launch({
    executablePath: executable!,
    // SwiftShader stands in for a GPU, as in test/swiftshader.ts.
    args: ["--no-sandbox", "--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader", "--enable-features=Vulkan"],
    env: { ...process.env, NODE_OPTIONS: "" } as Record<string, string>,
  });
  return {
    url: server.url,
    server,
    browser,
    async open(hash, options = {}) {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(100_000);
      const complaints: string[] = [];
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(message.text());
      });
      page.on("pageerror", (error) => complaints.push(error.message));
      await page.goto(`${server.url}/#${hash}`);
      return { page, complaints };
    },
    async close() {
      await browser.close();
      await server.close();
    },
  };
}

/** Waits until a view is mounted and nothing is at work in it. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector("main:not([aria-busy]) :is(.row, section)", { state: "attached" });
}

/** Marks the view that is about to be left, so that `settled` waits for the next one; the page does so an event later. */
export async function leaving(page: Page): Promise<void> {
  await page.evaluate(() => document.querySelector("main")!.setAttribute("aria-busy", "true"));
}

/** Goes to another place of the demo in the same page: what is loaded stays loaded. One that is there already stays. */
export async function goTo(page: Page, hash: string): Promise<void> {
  if (page.url().split("#")[1] === hash) return settled(page); // no navigation would come to end the wait
  await leaving(page);
  await page.evaluate((to) => {
    location.hash = to;
  }, hash);
  await settled(page);
}

/** Faults that axe-core calls serious or critical, by rule. */
export async function faultsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => (globalThis as unknown as { axe: typeof axe }).axe.run());
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes[0]!.html}`);
}

/** Pixels that a canvas shows, 0..255, first channel, row-major. */
export function pixelsOf(page: Page, selector: string): Promise<number[]> {
  return page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const canvas = element as HTMLCanvasElement;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      return Array.from({ length: canvas.width * canvas.height }, (_, i) => data[4 * i]!);
    });
}

export function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) throw new Error(`Cannot compare: ${a.length} numbers with ${b.length}`);
  return Array.from(a).reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
}
