import type { Results } from "../../schemas/results.ts";
import { columns } from "./text-columns.ts";

/** RINE's part of the closing table for a terminal: redundant information by weight, then its decomposition. */
export function rineLines({ figures, step }: Results): string[] {
  const byName = new Map(figures.map((figure) => [figure.quantity, figure]));
  const bits = (quantity: string): string => byName.get(quantity)?.value.toFixed(3) ?? "-";
  const after = (prefix: string): string[] =>
    figures.filter(({ quantity }) => quantity.startsWith(prefix)).map(({ quantity }) => quantity.slice(prefix.length));
  const problems = after("entropy.");
  const betas = [...new Set(after("redundant.").map((rest) => rest.slice(rest.indexOf(".") + 1)))];
  const isKnown = problems.some((name) => byName.has(`exact.${name}.I_and`));
  const n = byName.get(`entropy.${problems[0]}`)?.n ?? 0;
  const exact = (name: string): string[] => (isKnown ? [bits(`exact.${name}.I_and`), bits(`exact.${name}.I_GH`)] : []);
  const weights = (name: string): string[] =>
    betas.flatMap((beta) => [
      bits(`redundant.${name}.${beta}`),
      ...(isKnown ? [`(${bits(`optimum.${name}.${beta}`)})`] : []),
    ]);
  const heads = [
    "problem",
    "H(Y)",
    ...(isKnown ? ["I_and", "I_GH"] : []),
    ...betas.flatMap((beta) => [beta, ...(isKnown ? ["(best)"] : [])]),
  ];
  const lines = [
    `Redundant information in bits after ${step.toLocaleString("en-US")} steps (${n.toLocaleString("en-US")} test examples)`,
    "",
    ...columns("l".padEnd(heads.length, "r"), [
      heads,
      ...problems.map((name) => [name, bits(`entropy.${name}`), ...exact(name), ...weights(name)]),
    ]),
  ];
  const divided = problems.filter((name) => byName.has(`synergistic.${name}`));
  if (isKnown) lines.push("", "(best): exact optimum of the objective; I_and, I_GH: exact, of the table");
  if (divided.length === 0) return lines;
  const largest = betas.at(-1);
  const parts = (name: string): string[] =>
    [
      ...["usable.P.x1", "usable.P.x2", "usable.P.joint", `redundant.P.${largest}`],
      ...["unique.P.x1", "unique.P.x2", "synergistic.P"],
    ].map((quantity) => bits(quantity.replace("P", name)));
  const partHeads = ["problem", "I(X1;Y)", "I(X2;Y)", "I(X1,X2;Y)", "redundant", "unique 1", "unique 2", "synergy"];
  lines.push("", ...columns("lrrrrrrr", [partHeads, ...divided.map((name) => [name, ...parts(name)])]));
  return lines;
}
