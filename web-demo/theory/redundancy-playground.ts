import { type JointDistribution, jointFromCounts } from "../../information/joint-distribution.ts";
import { partialInformation, redundancyMeasures } from "../../information/partial-information.ts";
import { messageOf } from "../download.ts";
import { h, select } from "../element.ts";
import { fixed } from "../number-text.ts";
import type { ViewState } from "../state.ts";
import { wideTable } from "../wide-table.ts";

/** Two sources about a target: what both tell, what one alone tells, what only both together tell. */

/** Weights of (x1, x2, y), y fastest: two bits and a target of up to four values. */
type Weights = readonly number[];

const targets = 4;

const examples: Readonly<
  Record<string, { readonly title: string; readonly weights: Weights; readonly remark: string }>
> = {
  rdn: {
    title: "Same bit twice",
    weights: weightsOf(["0 0 0", "1 1 1"]),
    remark: "Both sources are the target: one bit, redundant.",
  },
  unq: {
    title: "Two halves",
    weights: weightsOf(["0 0 0", "0 1 1", "1 0 2", "1 1 3"]),
    remark: "Each source is one bit of the target: nothing is redundant, though I_min says one bit.",
  },
  xor: {
    title: "Parity",
    weights: weightsOf(["0 0 0", "0 1 1", "1 0 1", "1 1 0"]),
    remark: "Only both together tell anything: one bit of synergy.",
  },
  and: {
    title: "And",
    weights: weightsOf(["0 0 0", "0 1 0", "1 0 0", "1 1 1"]),
    remark: "The case on which the definitions disagree.",
  },
};

export function redundancyPlayground(state: ViewState): HTMLElement {
  const remark = h("p", { class: "hint" });
  const grid = h("table", { class: "cells" });
  const result = h("div", { "aria-live": "polite", "data-playground": "redundancy" });
  const example = (): string =>
    state.get("task") !== undefined && state.get("task")! in examples ? state.get("task")! : "and";
  let weights = readWeights(state.get("weights")) ?? examples[example()]!.weights;
  const choice = select(
    "Example",
    Object.entries(examples).map(([id, { title }]) => [id, title] as const),
    {
      value: example(),
      change(id) {
        state.set({ task: id, weights: undefined });
        weights = examples[id]!.weights;
        show();
      },
    },
  );
  show();
  return h(
    "section",
    { class: "panel" },
    h("h2", {}, "Two sources and a target"),
    h(
      "p",
      {},
      "How does what X1 and X2 tell about Y divide? ",
      h("b", {}, "Redundant"),
      ": either tells it. ",
      h("b", {}, "Unique"),
      ": one alone. ",
      h("b", {}, "Synergistic"),
      ": both together only. The literature has several definitions of the redundant part, and they need not agree.",
    ),
    choice,
    h("div", { class: "playground" }, h("div", {}, grid, remark), result),
  );

  function show(): void {
    remark.textContent = state.get("weights") === undefined ? examples[example()]!.remark : "Your own table.";
    const rows = [0, 1, 2, 3].map((sources) => {
      const boxes = Array.from({ length: targets }, (_, y) => {
        const at = sources * targets + y;
        const box = h("input", {
          type: "number",
          min: 0,
          max: 999,
          step: "any",
          value: weights[at]!,
          "aria-label": `Weight of X1 ${sources >> 1}, X2 ${sources & 1}, Y ${y}`,
          input() {
            const next = Number(box.value);
            if (box.value === "" || !(next >= 0)) return;
            weights = weights.with(at, next);
            state.set({ weights: weights.join(",") });
            remark.textContent = "Your own table.";
            compute();
          },
        });
        return h("td", {}, box);
      });
      return h("tr", {}, h("th", { scope: "row" }, `${sources >> 1} ${sources & 1}`), ...boxes);
    });
    const head = Array.from({ length: targets }, (_, y) => h("th", { scope: "col" }, `Y ${y}`));
    grid.replaceChildren(h("tr", {}, h("th", { scope: "col" }, "X1 X2"), ...head), ...rows);
    compute();
  }

  function compute(): void {
    try {
      const joint = jointOf(weights);
      const question = { sources: ["X1", "X2"] as const, target: "Y" };
      const lines = redundancyMeasures.map((measure) => {
        const { redundantBits, uniqueBits, synergisticBits } = partialInformation(joint, question, measure);
        const cell = (id: string, bits: number): HTMLElement =>
          h("td", { class: "number", "data-id": `${measure}.${id}`, "data-bits": bits }, fixed(bits, 3));
        return h(
          "tr",
          {},
          h("th", { scope: "row" }, measure),
          cell("redundant", redundantBits),
          cell("unique_1", uniqueBits[0]),
          cell("unique_2", uniqueBits[1]),
          cell("synergistic", synergisticBits),
        );
      });
      const head = ["by", "redundant", "only X1", "only X2", "only both"].map((text, i) =>
        h("th", { scope: "col", class: i === 0 ? "" : "number" }, text),
      );
      result.replaceChildren(
        wideTable("Parts by definition", h("table", {}, h("tr", {}, ...head), ...lines)),
        h("p", { class: "hint" }, "Bits; each line adds up to I(X1, X2; Y)."),
      );
    } catch (error) {
      result.textContent = messageOf(error);
    }
  }
}

/** Rounding must not print "-0.000". */
function jointOf(weights: Weights): JointDistribution {
  const bit = ["0", "1"];
  const variables = [
    { name: "X1", symbols: bit },
    { name: "X2", symbols: bit },
    { name: "Y", symbols: ["0", "1", "2", "3"] },
  ];
  return jointFromCounts(variables, weights);
}

function weightsOf(outcomes: readonly string[]): Weights {
  const weights = new Array<number>(4 * targets).fill(0);
  for (const outcome of outcomes) {
    const [x1 = 0, x2 = 0, y = 0] = outcome.split(" ").map(Number);
    weights[(2 * x1 + x2) * targets + y]! += 1;
  }
  return weights;
}

function readWeights(text: string | undefined): Weights | undefined {
  const weights = text?.split(",").map(Number);
  const fits = weights?.length === 4 * targets && weights.every((weight) => weight >= 0);
  return fits ? weights : undefined;
}
