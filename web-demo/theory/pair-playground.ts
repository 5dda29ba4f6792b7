import { doublySymmetricBinary, goldenMean } from "../../information/common-information-examples.ts";
import { entropyBits } from "../../information/entropy.ts";
import { gacsKorner } from "../../information/gacs-korner.ts";
import { type JointDistribution, jointFromCounts } from "../../information/joint-distribution.ts";
import { mutualInformationBits } from "../../information/mutual-information.ts";
import { stream } from "../../information/random.ts";
import { wynerCommonInformation } from "../../information/wyner.ts";
import { bitBars } from "../charts/bit-bars.ts";
import { messageOf } from "../download.ts";
import { h, select } from "../element.ts";
import type { ViewState } from "../state.ts";

/** A table of two variables: Gács-Körner information, mutual information, Wyner information. */

type Table = readonly (readonly number[])[];

const examples: Readonly<Record<string, { readonly title: string; readonly table: Table; readonly remark: string }>> = {
  blocks: {
    title: "A shared block",
    table: [
      [2, 2, 0, 0],
      [2, 2, 0, 0],
      [0, 0, 2, 2],
      [0, 0, 2, 2],
    ],
    remark: "X and Y agree on a block and are free inside it: one bit is shared, and all three measures say so.",
  },
  noisy: {
    title: "A bit with noise",
    table: square(doublySymmetricBinary(0.1).joint),
    remark: "Y is X with 10 % errors: nothing is shared for sure, so Gács and Körner say 0, however small the noise.",
  },
  golden: {
    title: "Never both",
    table: square(goldenMean().joint),
    remark: "X and Y are never both 1. Wyner asks what has to be known to make them independent: here 2/3 bit.",
  },
  mixed: {
    title: "Shared and noisy",
    table: [
      [8, 1, 0, 0],
      [1, 8, 0, 0],
      [0, 0, 8, 1],
      [0, 0, 1, 8],
    ],
    remark: "Both: a block that is shared for sure, and inside it a noisy bit. The three measures part.",
  },
  independent: {
    title: "Nothing",
    table: [
      [1, 1],
      [1, 1],
    ],
    remark: "Independent: nothing is shared in any sense.",
  },
};

export function pairPlayground(state: ViewState): HTMLElement {
  const remark = h("p", { class: "hint" });
  const grid = h("table", { class: "cells" });
  const result = h("div", { "aria-live": "polite", "data-playground": "pair" });
  const example = (): string =>
    state.get("pair") !== undefined && state.get("pair")! in examples ? state.get("pair")! : "blocks";
  let table = readTable(state.get("cells")) ?? examples[example()]!.table;

  const choice = select(
    "Example",
    Object.entries(examples).map(([id, { title }]) => [id, title] as const),
    {
      value: example(),
      change(id) {
        state.set({ pair: id, cells: undefined });
        table = examples[id]!.table;
        show();
      },
    },
  );
  show();
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Two variables"),
    h(
      "p",
      {},
      h("b", {}, "Gács-Körner"),
      ": what X and Y both know for certain, the label of a connected part of the table. ",
      h("b", {}, "Mutual information"),
      ": how much one tells about the other. ",
      h("b", {}, "Wyner"),
      ": the least one must know to explain all of their dependence. Always in this order, from small to large.",
    ),
    choice,
    h("div", { class: "playground" }, h("div", {}, grid, remark), result),
  );

  function show(): void {
    remark.textContent = state.get("cells") === undefined ? examples[example()]!.remark : "Your own table.";
    const boxes = table.map((line, x) =>
      line.map((weight, y) => {
        const box = h("input", {
          type: "number",
          min: 0,
          max: 999,
          step: "any",
          value: weight,
          "aria-label": `Weight of X ${x}, Y ${y}`,
          input() {
            const next = Number(box.value);
            if (box.value === "" || !(next >= 0)) return;
            table = table.map((row, i) => row.map((old, j) => (i === x && j === y ? next : old)));
            state.set({ cells: table.map((row) => row.join(",")).join(";") });
            remark.textContent = "Your own table.";
            compute(boxes);
          },
        });
        return box;
      }),
    );
    grid.replaceChildren(
      h("tr", {}, h("td", {}), ...table[0]!.map((_, y) => h("th", { scope: "col" }, `Y ${y}`))),
      ...boxes.map((line, x) =>
        h("tr", {}, h("th", { scope: "row" }, `X ${x}`), ...line.map((box) => h("td", {}, box))),
      ),
    );
    compute(boxes);
  }

  function compute(boxes: readonly (readonly HTMLInputElement[])[]): void {
    try {
      const joint = jointOf(table);
      const common = gacsKorner(joint);
      const random = stream(1, "wyner");
      const wyner = wynerCommonInformation(joint, { x: "X", y: "Y" }, { uniform: random.uniform });
      for (const [x, line] of boxes.entries()) {
        for (const [y, box] of line.entries()) {
          const part = table[x]![y]! > 0 ? common.componentOf[0]![x]! : -1;
          box.style.background = part < 0 ? "" : `oklch(0.7 0.13 ${part * 97 + 160} / 0.35)`;
        }
      }
      result.replaceChildren(
        bitBars([
          { id: "gacs-korner", label: "Gács-Körner", block: "common", bits: common.bits },
          { id: "mutual", label: "Mutual information", block: "common", bits: mutualInformationBits(joint, "X", "Y") },
          {
            id: "wyner",
            label: "Wyner",
            block: "common",
            bits: wyner.bits,
            ...(wyner.gapBits > 1e-3 ? { note: `at most; at least ${wyner.lowerBits.toFixed(2)} is proved` } : {}),
          },
          { id: "x", label: "Entropy of X", block: "unique_1", bits: entropyBits(joint, "X") },
          { id: "y", label: "Entropy of Y", block: "unique_2", bits: entropyBits(joint, "Y") },
        ]),
      );
    } catch (error) {
      result.textContent = messageOf(error);
    }
  }
}

function jointOf(table: Table): JointDistribution {
  const symbols = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i));
  const variables = [
    { name: "X", symbols: symbols(table.length) },
    { name: "Y", symbols: symbols(table[0]!.length) },
  ];
  return jointFromCounts(variables, table.flat());
}

/** Weights of a pair of bits, in hundredths. */
function square({ outcomes, probabilities }: JointDistribution): Table {
  const cells = [
    [0, 0],
    [0, 0],
  ];
  for (const [i, p] of probabilities.entries()) {
    cells[outcomes[2 * i]!]![outcomes[2 * i + 1]!] = Math.round(3e4 * p) / 300;
  }
  return cells;
}

/** `1,2;3,4` */
function readTable(text: string | undefined): Table | undefined {
  if (text === undefined) return undefined;
  const table = text.split(";").map((line) => line.split(",").map(Number));
  const width = table[0]!.length;
  const fits = table.length <= 4 && width <= 4 && table.every((line) => line.length === width);
  return fits && table.flat().every((weight) => weight >= 0) ? table : undefined;
}
