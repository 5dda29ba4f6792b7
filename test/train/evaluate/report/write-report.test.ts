import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { Command } from "commander";
import { decode } from "fast-png";
import { parseHTML } from "linkedom";
import { expect, test, vi } from "vitest";
import type { Results } from "../../../../schemas/results.ts";
import { addEvaluateCommand } from "../../../../train/commands/evaluate.ts";
import { openSource } from "../../../../train/data/open-source.ts";
import { evaluateRun } from "../../../../train/evaluate/evaluate-run.ts";
import { stream } from "../../../../train/random.ts";
import { tinyRecipe, tinyRun } from "../tiny-run.ts";

/** One evaluation that most tests look at. */
const expected = [
  { quantity: "usable.shape.common", unit: "bits", minimum: 5, paper: 6, source: "ours: cannot be met" },
  { quantity: "usable.shape.unique_1", unit: "bits", maximum: 5, source: "ours: cannot be missed" },
];
const recipe = tinyRecipe(expected);
const { run } = await tinyRun(recipe);
const results: Results = await evaluateRun(run);
const page = readFileSync(path.join(run, "report.html"), "utf8");
const { document } = parseHTML(page);

const headings = (): string[] => [...document.querySelectorAll("h2")].map((heading) => heading.textContent ?? "");

function pixels(source: string): ReturnType<typeof decode> {
  return decode(Buffer.from(source.replace("data:image/png;base64,", ""), "base64"));
}

function sourceOf(alt: string): string {
  const found = [...document.querySelectorAll("img")].find((one) => one.getAttribute("alt") === alt);
  return found?.getAttribute("src") ?? `no picture "${alt}"`;
}

test("every figure of results.json stands in the page with its value, interval and estimator", () => {
  const table = [...document.querySelectorAll("table")].at(-1)!;
  const rows = [...table.querySelectorAll("tbody tr")].map((row) => [...row.children].map((cell) => cell.textContent));
  expect(rows.map(([quantity]) => quantity)).toEqual(results.figures.map(({ quantity }) => quantity));
  const estimators = [...document.querySelectorAll("ol li")].map((item) => item.textContent);
  for (const [i, { value, estimator, interval }] of results.figures.entries()) {
    const shown = Number(rows[i]![1]!.replace("−", "-"));
    expect(Math.abs(shown - value)).toBeLessThan(0.00501);
    if (interval !== undefined) expect(rows[i]![3]).toMatch(/^−?\d+\.\d\d to −?\d+\.\d\d$/);
    expect(estimators[Number(rows[i]![5]) - 1]).toBe(estimator);
  }
});

test("the page loads nothing: no address, no script, no reference but to itself", () => {
  expect(page).not.toMatch(/https?:|<script|<link|@import|url\(/i);
  for (const element of document.querySelectorAll("[src], [href]")) {
    const target = element.getAttribute("src") ?? element.getAttribute("href") ?? "";
    expect(target).toMatch(/^(data:image\/png;base64,|#)/);
    if (target.startsWith("#")) expect(document.getElementById(target.slice(1)), target).not.toBeNull();
  }
});

test("headings go down one level at a time, pictures and charts have a text, and header cells a scope", () => {
  const levels = [...document.querySelectorAll("h1, h2, h3, h4")].map(({ tagName }) => Number(tagName[1]));
  expect(levels[0]).toBe(1);
  expect(levels.filter((level) => level === 1)).toHaveLength(1);
  for (const [i, level] of levels.entries()) expect(level - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1);
  for (const one of document.querySelectorAll("img")) expect(one.getAttribute("alt")).toMatch(/\S/);
  for (const one of document.querySelectorAll("th")) expect(one.getAttribute("scope")).toMatch(/^(row|col)$/);
  for (const one of document.querySelectorAll("svg")) {
    expect(one.getAttribute("aria-label") ?? one.getAttribute("aria-hidden"), one.outerHTML).toMatch(/\S/);
  }
  const ids = [...document.querySelectorAll("[id]")].map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

test("every tag that is opened is closed, and the recipe's own signs are escaped", () => {
  const isVoid = /^(meta|img|br)$/;
  const open: string[] = [];
  for (const [, slash, name, end] of page
    .replace(/<!doctype html>/, "")
    .matchAll(/<(\/?)([a-z][a-z0-9]*)[^>]*?(\/?)>/gi)) {
    if (slash === "/") expect(open.pop()).toBe(name);
    else if (end !== "/" && !isVoid.test(name!)) open.push(name!);
  }
  expect(open).toEqual([]);
  expect(document.querySelector("h1")!.textContent).toBe('A tiny run of <two> "views" & a name');
});

test("met and not met are said in words", () => {
  const verdicts = [...document.querySelectorAll(".met, .missed")].map(({ textContent }) => textContent);
  expect(verdicts).toEqual(["✗ not met", "✓ met"]);
  expect(page).toContain("1 of 2 bounds of the recipe are met");
});

test("the pictures of the pairs are the pixels of the source", () => {
  const { tensors } = openSource(recipe.data).draw(6, stream(5, "report", "pairs"));
  const drawn = tensors.view_2!.data;
  const { data, width, height, channels } = pixels(sourceOf("View 2 of 6 pairs, and below each its reconstruction"));
  expect([width, height, channels]).toEqual([6 * 33 - 1, 2 * 33 - 1, 1]);
  for (let pair = 0; pair < 6; pair++) {
    for (let y = 0; y < 32; y++) {
      const at = y * width + pair * 33;
      const wanted = drawn.subarray((pair * 32 + y) * 32, (pair * 32 + y + 1) * 32);
      expect([...data.subarray(at, at + 32)]).toEqual([...wanted]);
    }
  }
  expect(data[32]).toBe(128); // the gap
});

test("every part that the family has tasks for is there, one traversal a dimension, base and view", () => {
  expect(headings()).toEqual([
    "Information in each block",
    "Which latents hold a factor",
    "Expected figures",
    "Training",
    "Rate of each dimension",
    "Pairs and their reconstructions",
    "Traversals",
    "One view from the other",
    "Style transfer",
    "How the numbers were estimated",
  ]);
  const walks = [...document.querySelectorAll(".traversal img")].map((one) => one.getAttribute("alt"));
  expect(walks).toHaveLength(4 * 2 * 2);
  expect(walks.filter((alt) => alt === "View 1 as unique_2_0 goes from low to high")).toHaveLength(2);
});

test("curves end at the checkpoint that was evaluated, and leave the clamped copies out", () => {
  const charts = [...document.querySelectorAll("svg[role=img]")].map((one) => one.getAttribute("aria-label")!);
  const curves = charts.filter((label) => label.includes("by step"));
  // 1000 / 10 and 1000 / 20 nats, 1 and 2 nats
  expect(curves).toEqual(["bits by step: loss from 144 to 72.1", "bits by step: rate common 1 from 1.44 to 2.89"]);
});

test("the same run gives the same bytes, but for the date", async () => {
  const again = await evaluateRun(run);
  const date = ({ created }: Results) => created.slice(0, 16).replace("T", " ");
  const second = readFileSync(path.join(run, "report.html"), "utf8");
  expect(second.replace(date(again), "date")).toBe(page.replace(date(results), "date"));
  expect(readdirSync(run).filter((name) => name.includes("tmp"))).toEqual([]);
});

test("`cominfo evaluate --no-report` writes none; without the flag it says where it is", async () => {
  const other = await tinyRun(tinyRecipe());
  const said = vi.spyOn(console, "error").mockImplementation(() => {});
  vi.spyOn(console, "log").mockImplementation(() => {});
  const call = (...flags: string[]) => {
    const program = new Command().exitOverride();
    addEvaluateCommand(program);
    return program.parseAsync(["node", "cominfo", "evaluate", other.run, ...flags]);
  };
  const report = path.join(other.run, "report.html");
  await call("--no-report");
  expect(existsSync(report)).toBe(false);
  expect(said).not.toHaveBeenCalled();
  await call();
  expect(existsSync(report)).toBe(true);
  expect(said).toHaveBeenCalledWith(`Report: ${report}`);
});
