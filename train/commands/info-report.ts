import type { Static } from "typebox";
import { conditionalEntropyBits } from "../../information/conditional-entropy.ts";
import { entropyBits } from "../../information/entropy.ts";
import { gacsKorner } from "../../information/gacs-korner.ts";
import type { JointDistribution } from "../../information/joint-distribution.ts";
import { mutualInformationBits } from "../../information/mutual-information.ts";
import { partialInformation, redundancyMeasures } from "../../information/partial-information.ts";
import { wynerCommonInformation } from "../../information/wyner.ts";
import type { InfoReport, notComputedSchema } from "../../schemas/info-report.ts";
import { stream } from "../random.ts";

type NotComputed = Static<typeof notComputedSchema>;

/**
 * Exact measures of the empirical distribution of rows: plug-in figures, no interval.
 *
 * @param joint made from `rows` rows, with variables x, y and, where it is given, target
 */
export function infoReport(
  joint: JointDistribution,
  { x, y, target, rows, seed }: { x: string; y: string; target?: string | undefined; rows: number; seed: number },
): InfoReport {
  const common = gacsKorner(joint, [x, y]);
  const [sizeX, sizeY] = [x, y].map((name) => joint.variables.find((one) => one.name === name)!.symbols.length);
  const report: InfoReport = {
    format: 1,
    rows,
    x,
    y,
    entropyBits: { x: entropyBits(joint, x), y: entropyBits(joint, y), joint: entropyBits(joint, [x, y]) },
    conditionalEntropyBits: {
      xGivenY: conditionalEntropyBits(joint, x, y),
      yGivenX: conditionalEntropyBits(joint, y, x),
    },
    mutualInformationBits: mutualInformationBits(joint, x, y),
    mutualInformationBiasBits: ((sizeX! - 1) * (sizeY! - 1)) / (2 * rows * Math.LN2),
    gacsKornerBits: common.bits,
    gacsKornerValues: common.probabilities.length,
    wyner: unlessTooLarge(() => {
      const found = wynerCommonInformation(joint, { x, y }, { uniform: stream(seed, "wyner").uniform });
      const { bits, lowerBits, dualBits, upperBits, gapBits, converged } = found;
      return { bits, lowerBits, dualBits, upperBits, gapBits, converged };
    }),
  };
  if (target === undefined) return report;
  return {
    ...report,
    target,
    entropyBits: { ...report.entropyBits, target: entropyBits(joint, target) },
    informationAboutTargetBits: {
      x: mutualInformationBits(joint, x, target),
      y: mutualInformationBits(joint, y, target),
      both: mutualInformationBits(joint, [x, y], target),
    },
    decompositions: redundancyMeasures.map((measure) => {
      const parts = unlessTooLarge(() => partialInformation(joint, { sources: [x, y], target }, measure));
      return "notComputed" in parts ? { measure, ...parts } : { ...parts, uniqueBits: [...parts.uniqueBits] };
    }),
  };
}

/** A table beyond an exact method's reach costs one figure, not the report. */
function unlessTooLarge<T>(compute: () => T): T | NotComputed {
  try {
    return compute();
  } catch (error) {
    if (error instanceof RangeError) return { notComputed: error.message };
    throw error;
  }
}

/** The report as lines for a person. */
export function formatInfo(report: InfoReport): string {
  const { x, y, target, wyner, informationAboutTargetBits: about, decompositions } = report;
  const { entropyBits: entropy, conditionalEntropyBits: open } = report;
  const rows: [string, string][] = [
    [`H(${x})`, bits(entropy.x)],
    [`H(${y})`, bits(entropy.y)],
    [`H(${x}, ${y})`, bits(entropy.joint)],
    [`H(${x} | ${y})`, bits(open.xGivenY)],
    [`H(${y} | ${x})`, bits(open.yGivenX)],
    ["Gacs-Korner common information", `${bits(report.gacsKornerBits)}  ${counted(report.gacsKornerValues)}`],
    ["mutual information", `${bits(report.mutualInformationBits)}  ${biased(report)}`],
    ["Wyner common information", wynerText(wyner)],
  ];
  if (target !== undefined && about !== undefined) {
    rows.push(
      [`H(${target})`, bits(entropy.target ?? 0)],
      [`I(${x}; ${target})`, bits(about.x)],
      [`I(${y}; ${target})`, bits(about.y)],
      [`I(${x}, ${y}; ${target})`, bits(about.both)],
    );
  }
  const lines = [`${report.rows} rows, all figures in bits`, "", ...aligned(rows)];
  if (decompositions === undefined) return lines.join("\n");
  const table: string[][] = [[`about ${target}`, "redundant", `only ${x}`, `only ${y}`, "synergistic"]];
  for (const parts of decompositions) {
    table.push(
      "notComputed" in parts
        ? [parts.measure, parts.notComputed]
        : [parts.measure, ...[parts.redundantBits, ...parts.uniqueBits, parts.synergisticBits].map(bits)],
    );
  }
  return [...lines, "", ...aligned(table)].join("\n");
}

function wynerText(wyner: InfoReport["wyner"]): string {
  if ("notComputed" in wyner) return wyner.notComputed;
  const sure =
    wyner.gapBits < 1e-6 ? "exact" : `at least ${bits(wyner.lowerBits)} proved, ${bits(wyner.dualBits)} by duality`;
  return `${bits(wyner.bits)}  ${sure}${wyner.converged ? "" : ", search not finished"}`;
}

function counted(values: number): string {
  return values === 1 ? "one component" : `${values} components`;
}

function biased({ mutualInformationBiasBits: bias }: InfoReport): string {
  return `independent columns would show ${bits(bias)} with so many rows`;
}

function bits(value: number): string {
  const text = value.toFixed(4);
  return Number(text) === 0 ? "0.0000" : text; // not -0.0000
}

function aligned(table: readonly (readonly string[])[]): string[] {
  const widths: number[] = [];
  for (const row of table) {
    for (const [k, cell] of row.slice(0, row.length > 2 ? undefined : 1).entries()) {
      widths[k] = Math.max(widths[k] ?? 0, cell.length);
    }
  }
  return table.map((row) =>
    row
      .map((cell, k) => (k === 0 ? cell.padEnd(widths[0]!) : cell.padStart(row.length > 2 ? widths[k]! : 0)))
      .join("  "),
  );
}
