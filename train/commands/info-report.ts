import type { ColumnsReport, InfoReport } from "../../schemas/info-report.ts";

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
    ["mutual information", `${bits(report.mutualInformationBits)}${biased(report)}`],
    ["Wyner common information", wynerText(wyner)],
  ];
  if (report.approximate !== undefined) {
    const { slackBits, ofX, ofY } = report.approximate;
    for (const [one, other, found] of [
      [x, y, ofX],
      [y, x, ofY],
    ] as const) {
      const text =
        "notComputed" in found
          ? found.notComputed
          : `${bits(found.bits)}  ${other} leaves ${bits(found.leakBits)} open`;
      rows.push([`function of ${one}, slack ${slackBits}`, text]);
    }
  }
  if (report.stochastic !== undefined) {
    const found = report.stochastic;
    const text =
      "notComputed" in found
        ? found.notComputed
        : `${bits(found.objectiveBits)}  ${bits(found.informationBits)} less ${found.weight} x ${bits(found.disagreementBits)}`;
    rows.push(["stochastic Gacs-Korner, at least", text]);
  }
  if (target !== undefined && about !== undefined) {
    rows.push(
      [`H(${target})`, bits(entropy.target ?? 0)],
      [`I(${x}; ${target})`, bits(about.x)],
      [`I(${y}; ${target})`, bits(about.y)],
      [`I(${x}, ${y}; ${target})`, bits(about.both)],
    );
  }
  const lines = [heading(report), "", ...aligned(rows)];
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

/** What several columns have in common, as lines for a person. */
export function formatColumns(report: ColumnsReport): string {
  const rows: [string, string][] = [
    ...report.columns.map((name, k): [string, string] => [`H(${name})`, bits(report.entropyBits[k]!)]),
    [`H(${report.columns.join(", ")})`, bits(report.jointEntropyBits)],
    ["total correlation", bits(report.totalCorrelationBits)],
    ["dual total correlation", bits(report.dualTotalCorrelationBits)],
    ["Gacs-Korner common information", `${bits(report.gacsKornerBits)}  ${counted(report.gacsKornerValues)}`],
  ];
  return [heading(report), "", ...aligned(rows)].join("\n");
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

function heading({ rows }: { rows?: number }): string {
  return `${rows === undefined ? "A distribution" : rows === 1 ? "1 row" : `${rows} rows`}, all figures in bits`;
}

function biased({ mutualInformationBiasBits: bias }: InfoReport): string {
  return bias === undefined ? "" : `  independent columns would show ${bits(bias)} with so many rows`;
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
