import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "fflate";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { createSession } from "../../runtime/create-session.ts";
import { readSafetensors } from "../../schemas/safetensors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { type TrainingStep, trainingStepSchema } from "../../schemas/training-step.ts";
import { validate } from "../../schemas/validate.ts";
import { sampleOf } from "../../web-demo/model/sample.ts";
import { stepFeeds } from "../../web-demo/training/step-feeds.ts";

/** The page's training step on the native runtime, and what the page shows of the same steps. */

const folder = fileURLToPath(new URL("../../web-demo/dist/training/quickstart", import.meta.url));

/** Loss terms of one step, nats. */
export type Terms = Readonly<Record<string, number>>;

/** The terms of the first steps as the page shows them; it pauses after them. */
export async function trainInPage(page: Page, steps: number): Promise<Terms[]> {
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
    steps,
  );
  await page.getByRole("button", { name: "Pause" }).click();
  await page.getByRole("button", { name: "Go on" }).waitFor();
  return termsSeen(page, steps);
}

/** The terms that the page showed last of steps 1 to `steps`. */
export async function termsSeen(page: Page, steps: number): Promise<Terms[]> {
  const seen = await page.evaluate(() => (globalThis as unknown as { seen: Record<string, string> }).seen);
  return Array.from({ length: steps }, (_, at) => JSON.parse(seen[String(at + 1)]!) as Terms);
}

/** @param tolerance of each term, relative to 1 + its size: float32 sums in another order, through all steps */
export function expectSameTerms(page: readonly Terms[], native: readonly Terms[], tolerance: number): void {
  for (const [at, terms] of page.entries()) {
    for (const [name, value] of Object.entries(native[at]!)) {
      expect(Math.abs(terms[name]! - value), `${name} of step ${at + 1}`).toBeLessThan(
        tolerance * (1 + Math.abs(value)),
      );
    }
  }
}

/** The first steps of seed 1. */
export async function trainNatively(steps: number): Promise<Terms[]> {
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
  const found: Terms[] = [];
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
