import { readFileSync } from "node:fs";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync, unzipSync } from "fflate";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkModel } from "../../export/check.ts";
import { createSession } from "../../runtime/create-session.ts";
import { manifestSchema } from "../../schemas/manifest.ts";
import { readSafetensors } from "../../schemas/safetensors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { type TrainingStep, trainingStepSchema } from "../../schemas/training-step.ts";
import { validate } from "../../schemas/validate.ts";
import { sampleOf } from "../../web-demo/model/sample.ts";
import { stepFeeds } from "../../web-demo/training/step-feeds.ts";
import { type Demo, hookTimeout, openDemo, settled, skipReason } from "./demo-page.ts";

/** Training in the page, against the same step on the native runtime. */

const folder = fileURLToPath(new URL("../../web-demo/dist/training/quickstart", import.meta.url));
const steps = 4;
/** float32 sums in another order, through `steps` updates. */
const tolerance = 1e-3;

describe.skipIf(skipReason !== undefined)("training in the page", () => {
  let demo: Demo;
  let native: Record<string, number>[];
  beforeAll(async () => {
    demo = await openDemo();
    native = await trainNatively();
  }, hookTimeout);
  afterAll(() => demo?.close());

  /** The terms of the first steps as the page shows them. */
  async function trainInPage(page: Page, wanted: number): Promise<Record<string, number>[]> {
    await page.evaluate(() => {
      const status = document.querySelector<HTMLElement>("[data-step]")!;
      const seen: Record<string, string> = {};
      Object.assign(globalThis, { seen });
      new MutationObserver(() => {
        seen[status.dataset.step!] = status.dataset.terms ?? "";
      }).observe(status, { attributes: true, attributeFilter: ["data-terms"] });
    });
    await page.getByRole("button", { name: "Start", exact: true }).click();
    await page.waitForFunction(
      (count) => Number(document.querySelector<HTMLElement>("[data-step]")?.dataset.step) >= count,
      wanted,
      { timeout: 800_000 },
    );
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Go on" }).waitFor();
    const seen = await page.evaluate(() => (globalThis as unknown as { seen: Record<string, string> }).seen);
    return Array.from({ length: wanted }, (_, at) => JSON.parse(seen[String(at + 1)]!) as Record<string, number>);
  }

  function expectSame(page: readonly Record<string, number>[]): void {
    for (const [at, terms] of page.entries()) {
      for (const [name, value] of Object.entries(native[at]!)) {
        expect(Math.abs(terms[name]! - value), `${name} of step ${at + 1}`).toBeLessThan(
          tolerance * (1 + Math.abs(value)),
        );
      }
    }
  }

  test("on WASM the first steps have the losses of the native engine, and the model can be taken home", async () => {
    const { page, complaints } = await demo.open("view=training&backend=wasm");
    await settled(page);
    expectSame(await trainInPage(page, steps));
    expect(await page.locator(".line.made canvas").count()).toBe(12);

    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download the model" }).click(),
    ]);
    const files = unzipSync(new Uint8Array(readFileSync(await download.path())));
    const bundle = "trained-in-the-page";
    const text = new TextDecoder().decode(files[`${bundle}/manifest.json`]);
    const manifest = validate(manifestSchema, JSON.parse(text), "read the manifest");
    const encoder = files[`${bundle}/${manifest.tasks.encode!.file}`]!;
    checkModel(encoder);
    await expectServable(files);
    expect(complaints).toEqual([]);
  });

  // SwiftShader needs minutes for the shaders of 1,400 nodes.
  test.skipIf(!process.env.COMINFO_TEST_SLOW)(
    "on WebGPU the first steps have the losses of the native engine",
    async () => {
      const { page, complaints } = await demo.open("view=training&backend=webgpu");
      await settled(page);
      expectSame(await trainInPage(page, 2));
      expect(await page.locator(".badge summary").textContent()).toContain("WebGPU");
      expect(complaints).toEqual([]);
    },
    900_000,
  );

  /** A server takes the unzipped bundle as it is, and finds its hashes right. */
  async function expectServable(files: Readonly<Record<string, Uint8Array>>): Promise<void> {
    const models = await mkdtemp(path.join(tmpdir(), "cominfo-trained-"));
    try {
      for (const [name, bytes] of Object.entries(files)) {
        await mkdir(path.dirname(path.join(models, name)), { recursive: true });
        await writeFile(path.join(models, name), bytes);
      }
      const { startServer } = await import("../../serve/start-server.ts");
      const server = await startServer({ repository: models, port: 0, threads: 1 });
      try {
        const response = await fetch(`${server.url}/v2/models/trained-in-the-page.encode/ready`);
        expect(response.status).toBe(200);
      } finally {
        await server.close();
      }
    } finally {
      await rm(models, { recursive: true });
    }
  }
});

async function trainNatively(): Promise<Record<string, number>[]> {
  const read = (file: string): Uint8Array => new Uint8Array(readFileSync(path.join(folder, file)));
  const about: TrainingStep = validate(
    trainingStepSchema,
    JSON.parse(new TextDecoder().decode(read("training.json"))),
    "read the step",
  );
  const start = readSafetensors(gunzipSync(read(about.start.file)), "start");
  const sample = sampleOf(readSafetensors(gunzipSync(read(about.samples.file)), "samples"), false)!;
  const under = (prefix: string): [string, HostTensor][] =>
    [...start].filter(([name]) => name.startsWith(prefix)).map(([name, value]) => [name.slice(prefix.length), value]);
  const schedules = Object.fromEntries(under("schedule/").map(([name, { data }]) => [name, data as Float32Array]));
  const state = new Map(under("state/"));
  const session = await createSession(read(about.step.file), { threads: 1 });
  const found: Record<string, number>[] = [];
  for (let step = 1; step <= steps; step++) {
    const feeds = stepFeeds({ about, schedules, sample }, { seed: 1, step });
    for (const { name, input } of about.step.state) if (input !== undefined) feeds[input] = state.get(name)!;
    const outputs = await session.run(feeds);
    for (const { name, output } of about.step.state) if (output !== undefined) state.set(name, outputs[output]!);
    found.push(Object.fromEntries(about.step.terms.map((name) => [name, Number(outputs[name]!.data[0])])));
  }
  await session.release();
  return found;
}
