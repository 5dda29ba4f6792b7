import type { Figure } from "../../schemas/manifest.ts";
import type { Results } from "../../schemas/results.ts";
import { jointName } from "./asked-factors.ts";
import { rineLines } from "./rine-table.ts";
import { columns } from "./text-columns.ts";
import { trainingPairs } from "./training-pairs.ts";

const allBlocks = ["common", "unique_1", "unique_2", "all"] as const;

/** Scores without a unit that the last lines name, where they were measured. */
const scores = [
  "purity",
  "dci.disentanglement",
  "dci.completeness",
  "mig-hist20-means",
  "mig-chen",
  "sap-linear-svc",
] as const;

/** A code that tells less of its view has collapsed, whatever its means show: its noise hides them. */
const emptyBits = 0.1;

type Figures = ReadonlyMap<string, Figure>;

/**
 * What a view and its drawn code share at most, bits: of two upper bounds the lower one (`measure-codes.ts`). The second
 * is far above the first where a code holds more than the logarithm of the number of pairs.
 *
 * @returns undefined where it was not estimated
 */
function mostTold(figures: Figures, block: string): number | undefined {
  const upper = figures.get(`rate_aggregate.${block}.upper`)?.value;
  const rate = figures.get(`rate.${block}`)?.value;
  return upper === undefined ? undefined : Math.min(upper, rate ?? upper);
}

/** Families with a table of their own; the others are two-view codes. */
const tables: Readonly<Record<string, (results: Results) => string[]>> = { rine: rineLines };

/** The closing table of an evaluation for a terminal, in bits. Ends without a line break. */
export function formatTable(results: Results): string {
  const { family, figures, notComputed = [], step } = results;
  const isTwoView = figures.some(({ quantity }) => quantity.startsWith("usable."));
  const lines = tables[family]?.(results) ?? (isTwoView ? twoViewLines(results) : listOf(figures, step));
  const missing = notComputed.map(({ quantity, reason }) => `Not computed: ${quantity}, ${reason}`);
  return [...lines, ...missing, ...verdicts(figures)].join("\n");
}

function twoViewLines({ data, figures, pairs, step }: Results): string[] {
  const byName = new Map(figures.map((figure) => [figure.quantity, figure]));
  const bits = (quantity: string): string => byName.get(quantity)?.value.toFixed(2) ?? "-";
  const blocks = allBlocks.filter((block) => figures.some(({ quantity }) => quantity.endsWith(`.${block}`)));
  const isLinear = !figures.some(({ estimator }) => estimator.startsWith("gradient-boosted"));
  const joint = byName.has(`entropy.${jointName}`) ? [{ name: jointName, size: 2, role: "common" }] : [];
  const varied = [...data.factors.filter(({ name }) => byName.has(`entropy.${name}`)), ...joint];
  const rows = varied.map(({ name, role }) => [
    name,
    role,
    bits(`entropy.${name}`),
    ...blocks.map((block) => bits(`usable.${name}.${block}`)),
  ]);
  const ofBlocks = (name: string, of: (block: string) => string): string[] => [
    name,
    "",
    "",
    ...blocks.map((block) => (block === "all" ? "" : of(block))),
  ];
  const isEstimated = mostTold(byName, "common") !== undefined;
  const test = pairs - trainingPairs(pairs);
  const lines = [
    `Bits found by ${isLinear ? "a linear probe" : "gradient-boosted trees"} in each block after ${count(step)} steps (${count(test)} test pairs)`,
    "",
    ...columns(`llr${"r".repeat(blocks.length)}`, [
      ["factor", "is", "entropy", ...blocks],
      ...rows,
      ...(byName.has("rate.common") ? [ofBlocks("rate", (block) => bits(`rate.${block}`))] : []),
      ...(isEstimated ? [ofBlocks("tells at most", (block) => mostTold(byName, block)?.toFixed(2) ?? "-")] : []),
    ]),
    ...(joint.length === 0 || !isLinear
      ? []
      : ["", `${jointName}: all common ones at once; a linear probe can tell them together and miss one alone`]),
    "",
  ];
  for (const block of blocks) {
    const tells = mostTold(byName, block) ?? Number.POSITIVE_INFINITY;
    if (tells >= emptyBits) continue;
    lines.push(
      `The code ${block} is empty: a drawn one tells at most ${tells.toFixed(2)} bits of its view; its rate of ${bits(`rate.${block}`)} is the distance of all codes together from the prior`,
    );
  }
  if (byName.has("disagreement.common")) {
    lines.push(`The encoders disagree on the common code by ${bits("disagreement.common")} bits a pair`);
  }
  if (data.commonInformationBits !== undefined) {
    const mutual = data.mutualInformationBits;
    const isOther = mutual !== undefined && mutual !== data.commonInformationBits;
    lines.push(
      `Common information of the factors drawn: ${data.commonInformationBits.toFixed(3)} bits${isOther ? `, mutual information ${mutual.toFixed(3)}` : ""}`,
    );
  }
  const scored = scores.filter((quantity) => byName.has(quantity));
  if (scored.length > 0) {
    lines.push(`Of 1: ${scored.map((quantity) => `${quantity} ${byName.get(quantity)!.value.toFixed(2)}`).join(", ")}`);
  }
  return lines;
}

/** Figures of families that are not measured by usable information, one a line. */
function listOf(figures: Results["figures"], step: number): string[] {
  const rows = figures.map(({ quantity, value, unit, interval }) => [
    quantity,
    value.toFixed(3),
    unit === "1" ? "" : unit,
    interval === undefined ? "" : `${interval[0].toFixed(3)} to ${interval[1].toFixed(3)}`,
  ]);
  return [`After ${count(step)} steps`, "", ...columns("lrll", rows)];
}

function verdicts(figures: Results["figures"]): string[] {
  const judged = figures.filter(({ paper, met }) => paper !== undefined || met !== undefined);
  return judged.length === 0 ? [] : ["", "Expected by the recipe:", ...columns("lrlll", judged.map(verdict))];
}

function verdict({ quantity, value, paper, minimum, maximum, met }: Figure): string[] {
  const bounds = [
    ...(minimum === undefined ? [] : [`at least ${minimum}`]),
    ...(maximum === undefined ? [] : [`at most ${maximum}`]),
  ].join(", ");
  const published = paper === undefined ? "" : `paper ${paper}`;
  return [`  ${quantity}`, value.toFixed(2), bounds, published, met === undefined ? "" : met ? "met" : "NOT MET"];
}

function count(n: number): string {
  return n.toLocaleString("en-US");
}
