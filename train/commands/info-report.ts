import type { InfoReport } from "../../schemas/info-report.ts";

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
