import { readFile } from "node:fs/promises";
import path from "node:path";
import { UsageError } from "../../schemas/errors.ts";
import { didYouMean } from "../../schemas/nearest.ts";
import type { CellLine, Sweep } from "../../schemas/sweep.ts";
import { loadSource, sourceNeedsFiles } from "../data/open-source.ts";
import { parse } from "../engine/run-folder.ts";
import type { Cell } from "./cells.ts";

/** What is asked before a sweep trains, and of what it trained before it is reported. */

/** Where no cell could find its data, all would fail one by one. @throws as `loadSource` */
export async function requireData(cells: readonly Cell[], dataDir: string | undefined): Promise<void> {
  const different = new Map(cells.map(({ recipe }) => [JSON.stringify(recipe.data), recipe.data]));
  let missing: unknown;
  for (const data of different.values()) {
    if (!sourceNeedsFiles(data.source)) return;
    try {
      await loadSource(data, { dataDir });
      return;
    } catch (error) {
      missing ??= error;
    }
  }
  if (missing !== undefined) throw missing;
}

/**
 * Before cells are added to a folder, or what it holds is reported as of this plan: figures of another training would
 * be mixed in, or pass for those of a longer one.
 *
 * @param planned all cells of the plan
 * @param lines the last line of each cell in the folder, by its name
 * @throws UsageError if the folder holds another plan or budget, or a cell that ended with another recipe
 */
export async function requireSamePlan(
  outDir: string,
  plan: { sweep: Sweep; budget: string },
  { planned, lines }: { planned: readonly Cell[]; lines: ReadonlyMap<string, CellLine> },
): Promise<void> {
  const file = path.join(outDir, "sweep.json");
  const there = await readFile(file, "utf8").catch(() => undefined);
  if (there !== undefined) {
    const { sweep, budget } = parse(there, file) as { sweep: Sweep; budget: string };
    if (sweep.name !== plan.sweep.name || budget !== plan.budget) {
      throw new UsageError(
        `Cannot sweep into "${outDir}": it must hold sweep "${plan.sweep.name}" with budget ${plan.budget} or nothing, got "${sweep.name}" with budget ${budget}; use another --out`,
        { code: "foreign_sweep" },
      );
    }
  }
  const foreign = planned.find(({ name, recipeHash }) => {
    const line = lines.get(name);
    return line?.status === "finished" && line.recipeHash !== recipeHash;
  });
  if (foreign === undefined) return;
  throw new UsageError(
    `Cannot sweep into "${outDir}": cell "${foreign.name}" must be of the recipe planned now, got one that ended with another; use another --out`,
    { code: "foreign_sweep" },
  );
}

/**
 * Before more cells are trained for nothing, or a report leaves out what was asked: the figures that a plan names are
 * among those that its cells have. What a claim is about, every finished cell of that variant must have; any other
 * figure, one cell at least, since variants may have blocks that others lack.
 *
 * @param lines the last line of each cell, finished or not
 * @param planned cells of the plan: once all are finished, no other cell can bring a figure
 * @throws UsageError that names the figure, and the nearest one that there is
 */
export function requireFigures(sweep: Sweep, lines: readonly CellLine[], planned: number): void {
  const finished = lines.filter(({ status }) => status === "finished");
  const claimed = [
    ...sweep.comparisons.flatMap(({ of, against, quantity }) =>
      [of, against].map((variant) => ({ variant, quantity })),
    ),
    ...sweep.trends.flatMap(({ points, quantity }) => points.map(({ variant }) => ({ variant, quantity }))),
  ];
  for (const line of finished) {
    const wanted = claimed.filter(({ variant }) => variant === line.variant);
    for (const { quantity } of wanted) requireOne(sweep, { quantity, among: [line] });
  }
  if (finished.length < planned) return;
  for (const quantity of Object.keys(sweep.quantities)) requireOne(sweep, { quantity, among: finished });
}

function requireOne(sweep: Sweep, { quantity, among }: { quantity: string; among: readonly CellLine[] }): void {
  const figure = sweep.quantities[quantity]!;
  if (among.some(({ figures }) => Object.hasOwn(figures, figure))) return;
  const known = [...new Set(among.flatMap(({ figures }) => Object.keys(figures)))];
  const where = among.length === 1 ? `cell "${among[0]!.cell}" has` : "a cell has";
  throw new UsageError(
    `Cannot report sweep "${sweep.name}": its quantity "${quantity}" must be a figure that ${where}, got "${figure}"${didYouMean(figure, known)}; the cells stay, sweep again once the plan is right`,
    { code: "unknown_quantity", path: ["quantities", quantity] },
  );
}
