import type { ScoreManifest } from "../../schemas/score-manifest.ts";
import type { RunOutcome } from "./run-score.ts";

/** What a person reads at the end. */
export function describeOutcome({ manifest, rows, seconds, interrupted }: RunOutcome): string {
  const speed = rows.scored > 0 ? `, ${(rows.scored / seconds.scoring).toFixed(0)} rows/s` : "";
  const all = seconds.opening + seconds.scoring + seconds.finishing;
  const before = rows.before > 0 ? ` (${rows.before} were done before)` : "";
  const done = interrupted ? `${rows.before + rows.scored} of ${rows.total}` : rows.total;
  const lines = [`${done} rows${before} in ${all.toFixed(1)} s${speed}; ${rows.rejected} rejected`];
  if (manifest === undefined) return lines.join("\n");
  lines.push(`${manifest.output.file}: ${manifest.rows.written} rows, ${manifest.output.bytes} bytes`);
  if (manifest.summary.length > 0) lines.push("", ...table(manifest), "", manifest.intervals);
  return lines.join("\n");
}

function table({ summary }: ScoreManifest): string[] {
  const width = Math.max(...summary.map(({ quantity }) => quantity.length));
  return summary.map(({ quantity, value, interval }) => {
    const range = interval === undefined ? "" : `  [${interval.map((end) => end.toFixed(3)).join(", ")}]`;
    const isWhole = /^rate\.common(_\d)?$/.test(quantity);
    const meaning = isWhole ? "  common information, as the encoder's rate" : "";
    return `${quantity.padEnd(width)}  ${value.toFixed(3).padStart(8)} bits${range}${meaning}`;
  });
}

/** `--json`: one line. */
export function outcomeJson({ manifest, rows, seconds, interrupted }: RunOutcome): string {
  const rowsPerSecond = rows.scored === 0 ? 0 : rows.scored / seconds.scoring;
  const peakMemoryMiB = process.resourceUsage().maxRSS / 1024;
  return JSON.stringify({ rows, seconds, rowsPerSecond, peakMemoryMiB, interrupted, manifest: manifest ?? null });
}
