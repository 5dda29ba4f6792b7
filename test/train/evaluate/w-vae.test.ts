import "../../../export/tfjs-setup.ts";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import type { Recipe } from "../../../schemas/recipe.ts";
import { evaluateRun } from "../../../train/evaluate/evaluate-run.ts";
import { openJudge } from "../../../train/evaluate/open-judge.ts";
import { smallConfig } from "../models/w-vae-setup.ts";
import { tinyRecipe, tinyRun } from "./tiny-run.ts";

const recipe: Recipe = {
  ...tinyRecipe(),
  family: "w-vae",
  model: smallConfig(),
  data: { source: "drawn-digits" } as Recipe["data"],
};

test("a W-VAE run without a judge is measured in bits, told what is left out, and drawn as sheets", async () => {
  const { run } = await tinyRun(recipe);
  const said: string[] = [];
  const { figures } = await evaluateRun(run, { warn: (message) => said.push(message) });
  const value = new Map(figures.map((figure) => [figure.quantity, figure.value]));
  for (const name of ["common", "common_1", "common_2", "unique_1", "unique_2"]) {
    expect(value.get(`rate.${name}`)).toBeGreaterThanOrEqual(0);
  }
  expect(value.get("rate.common")).toBeLessThanOrEqual(2); // one variable of four values
  expect(value.get("rate_aggregate.common")).toBeLessThanOrEqual(value.get("rate.common")! + 1e-9);
  for (const block of ["common", "unique_1", "unique_2"]) expect(value.has(`usable.label.${block}`)).toBe(true);
  expect(said.join()).toContain("names no judge");
  expect(existsSync(path.join(run, "results.json"))).toBe(true);
  const report = readFileSync(path.join(run, "report.html"), "utf8");
  for (const title of ["Conditional generation", "Style transfer", "Pairs from the prior"]) {
    expect(report).toContain(title);
  }
});

test("a judge that is not there is told with how to make it", async () => {
  await expect(openJudge("models/judge-none")).rejects.toThrow("cominfo train judge-mnist");
});
