import type { PublishedRow } from "../../schemas/published-results.ts";
import { isSweepRow, kindOf } from "./sweep-rows.ts";

/** What the page says of an experiment beside its figures: its recipe's words. */
export interface ExperimentWords {
  readonly title: string;
  readonly source: string;
  /** Quantities that the recipe expects, in its order. */
  readonly expected: readonly string[];
}

/**
 * The published rows as Markdown: how many bounds each experiment meets, then a section for each with the figures that
 * its recipe expects, and all others folded. A sweep whose recipe of the same name has figures too is headed as a sweep.
 *
 * @param words by kind of rows; those without words have their figures alone
 */
export function resultsPage(rows: readonly PublishedRow[], words: ReadonlyMap<string, ExperimentWords>): string {
  const kinds = groupBy(rows, kindOf);
  const sections = [...kinds].map(([kind, own]) => {
    const { experiment } = own[0]!;
    return { kind, own, heading: kinds.has(experiment) ? kind : experiment };
  });
  const overview = sections.flatMap(({ heading, own }) =>
    runsOf(own).map((run) => {
      const { budget, seeds, date } = run[0]!;
      return [`[${heading}](#${anchor(heading)})`, score(run), budget, seeds.join(", "), date];
    }),
  );
  return [
    table(["experiment", "bounds met", "budget", "seeds", "date"], overview),
    ...sections.map(({ kind, heading, own }) => section(heading, own, words.get(kind))),
  ].join("\n\n");
}

/** As GitHub makes it of a heading. */
function anchor(heading: string): string {
  return heading.toLowerCase().replace(/[()]/g, "").replaceAll(" ", "-");
}

function section(heading: string, rows: readonly PublishedRow[], words: ExperimentWords | undefined): string {
  return [
    `### ${heading}`,
    ...(words === undefined ? [] : [`${words.title}. Source: ${words.source}.`]),
    ...runsOf(rows).map((run) => figuresOf(run, words?.expected ?? [])),
  ].join("\n\n");
}

/** Rows that one set of runs gave. An experiment has several where its figures come from different trainings. */
function runsOf(rows: readonly PublishedRow[]): PublishedRow[][] {
  return [...groupBy(rows, ({ budget, seeds, command, date }) => [budget, seeds, command, date].join("|")).values()];
}

function figuresOf(rows: readonly PublishedRow[], order: readonly string[]): string {
  const { budget, seeds, device, date, command } = rows[0]!;
  const place = ({ quantity }: PublishedRow): number => {
    const at = order.indexOf(quantity);
    return at < 0 ? order.length : at;
  };
  const expected = rows.filter(isExpected).sort((a, b) => place(a) - place(b));
  const others = rows.filter((row) => !isExpected(row));
  const swept = isSweepRow(rows[0]!);
  const interval = seeds.length > 1 && !swept ? "smallest to largest" : "95 % interval";
  return [
    `Budget ${budget}; ${seeds.length > 1 ? "seeds" : "seed"} ${seeds.join(", ")}; ${device}; ${date}; ${verdict(rows)}. Repeat with \`${command}\`.`,
    ...(swept && rows.some(isJudged)
      ? ["“Clearly”: an effect's whole interval has the sign, with at least three seeds; of a trend p is at most 0.05."]
      : []),
    ...(expected.length === 0
      ? []
      : [
          table(
            ["figure", "paper", "ours", interval, "wanted", "met"],
            expected.map((row) => [...named(row), range(row), swept ? claimed(row) : wanted(row), yesOrNo(row)]),
          ),
        ]),
    ...(others.length === 0
      ? []
      : [
          `<details><summary>${expected.length === 0 ? "All" : "Other"} figures (${others.length})</summary>`,
          table(
            ["figure", "ours", interval],
            others.map((row) => [`\`${row.quantity}\``, value(row), range(row)]),
          ),
          "</details>",
        ]),
  ].join("\n\n");
}

const isJudged = ({ met }: PublishedRow): boolean => met !== undefined;
const isExpected = (row: PublishedRow): boolean => row.paper !== undefined || isJudged(row);

function named(row: PublishedRow): string[] {
  return [`\`${row.quantity}\``, row.paper === undefined ? "" : number(row.paper), value(row)];
}

function value({ ours, unit, notComputed = "no reason given" }: PublishedRow): string {
  if (ours === undefined) return `not computed: ${notComputed}`;
  return unit === "1" ? number(ours) : `${number(ours)} ${unit}`;
}

function range({ interval }: PublishedRow): string {
  return interval === undefined ? "" : `${number(interval[0]!)} to ${number(interval[1]!)}`;
}

function wanted({ minimum, maximum }: PublishedRow): string {
  return [...(minimum === undefined ? [] : [`≥ ${minimum}`]), ...(maximum === undefined ? [] : [`≤ ${maximum}`])].join(
    ", ",
  );
}

/** Of a sweep's effects and trends, whose sign alone does not meet them. */
function claimed({ minimum, maximum }: PublishedRow): string {
  return minimum !== undefined ? "clearly above 0" : maximum !== undefined ? "clearly below 0" : "";
}

function yesOrNo({ met: judged }: PublishedRow): string {
  return judged === undefined ? "" : judged ? "yes" : "**no**";
}

function verdict(rows: readonly PublishedRow[]): string {
  const met = score(rows);
  return met === "" ? "no bounds" : `${met} bounds met`;
}

/** `3 of 9`; empty where nothing is bounded. */
function score(rows: readonly PublishedRow[]): string {
  const judged = rows.filter(isJudged);
  return judged.length === 0 ? "" : `${judged.filter((row) => row.met).length} of ${judged.length}`;
}

/** Three decimals, and never -0.000. */
function number(shown: number): string {
  const text = shown.toFixed(3);
  return Number(text) === 0 ? "0.000" : text;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [head, head.map(() => "---"), ...rows];
  return lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n");
}

/** Groups in the order of their first rows. (Map.groupBy comes with Node 21.) */
function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) groups.set(key(item), [...(groups.get(key(item)) ?? []), item]);
  return groups;
}
