import { readFileSync } from "node:fs";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { unzipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkModel } from "../../export/check.ts";
import { manifestSchema } from "../../schemas/manifest.ts";
import { validate } from "../../schemas/validate.ts";
import { type Demo, hookTimeout, openDemo, settled, skipReason } from "./demo-page.ts";
import { expectSameTerms, trainInPage, trainNatively } from "./native-training.ts";

/** Training in the page, against the same step on the native runtime. */

const steps = 4;

describe.skipIf(skipReason !== undefined)("training in the page", () => {
  let demo: Demo;
  beforeAll(async () => {
    demo = await openDemo();
  }, hookTimeout);
  afterAll(() => demo?.close());

  test("on WASM the first steps have the losses of the native engine, and the model can be taken home", async () => {
    const { page, complaints } = await demo.open("view=training&backend=wasm");
    await settled(page);
    expectSameTerms(await trainInPage(page, steps), await trainNatively(steps), 1e-3);
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
