import { stream } from "../../information/random.ts";
import { type BitBar, bitBars } from "../charts/bit-bars.ts";
import { h, replaceControls, select } from "../element.ts";
import { latest } from "../latest.ts";
import { labelled } from "./labels.ts";
import { type Pairs, type SharedBits, sharedBits } from "../model/shared-bits.ts";
import { type Dispose, lackOf, type PairContext, type PairView } from "./view.ts";

/**
 * How much is shared: what the model says of a set of pairs that the visitor chooses, next to the exact value.
 *
 * Address: `pairs` (how many), `match` (`yes`, `no`), `factor` and `keep` (values of it that are let in).
 */
export const howMuch: PairView = {
  id: "how-much",
  title: "How much",
  needs: "pairs",
  fault: (model) => lackOf(model, ["common_information", "encode_1"]),
  mount,
};

/** Factors with more values make no buttons. */
const mostValues = 16;

function mount(root: HTMLElement, { state, model, sample, fail }: PairContext): Dispose {
  const { data } = model.manifest;
  const common = labelled(data.factors, sample.labels[1]).filter(({ role }) => role === "common");
  const choices = common.filter(({ size }) => size <= mostValues);
  const factor = () => choices.find(({ name }) => name === state.get("factor")) ?? choices[0];
  const chips = h("div", { class: "row", role: "group", "aria-label": "Values that are let in" });
  const result = h("div", { class: "panel" });
  const controls = h("div", { class: "row actions" });

  root.append(
    h("h1", {}, "How much is shared"),
    h(
      "p",
      { class: "lead" },
      "Common information belongs to a set of pairs, not to one. Let only some classes in, or shuffle the pairs so that they no longer belong together, and see what the model says and what is true.",
    ),
    controls,
    chips,
    h("p", {}),
    result,
    h(
      "p",
      { class: "hint" },
      "The rate is what the common code costs against the model's prior (task common_information); it bounds the common information from neither side, and speaks of it only as far as the two encoders agree. What a linear classifier reads of the common factors from the common code is a lower bound of what is there, up to sampling. Brackets are 95 % bootstrap intervals over the pairs.",
    ),
  );
  const update = latest(refresh, { busy: root, onError: (error) => fail(error, () => void update()) });
  change({});
  return () => {};

  function change(changes: Readonly<Record<string, string | undefined>>): void {
    state.set(changes);
    showControls();
    void update();
  }

  function showControls(): void {
    const sizes = [64, 128, 256, 512].filter((size) => size < sample.pairs);
    const chosen = factor();
    replaceControls(
      controls,
      select("Pairs", [...sizes.map((size) => [String(size), String(size)] as const), ["all", `all ${sample.pairs}`]], {
        value: state.get("pairs") ?? "all",
        change: (pairs) => change({ pairs }),
      }),
      select(
        "Pairs are",
        [
          ["yes", "as they belong"],
          ["no", "shuffled"],
        ],
        {
          value: state.get("match") ?? "yes",
          change: (match) => change({ match }),
        },
      ),
      ...(choices.length < 2
        ? []
        : [
            select(
              "Let in by",
              choices.map(({ name }) => [name, name.replaceAll("_", " ")] as const),
              {
                value: chosen?.name ?? "",
                change: (name) => change({ factor: name, keep: undefined }),
              },
            ),
          ]),
    );
    chips.replaceChildren();
    if (chosen === undefined) return;
    const kept = keptValues(chosen.size);
    chips.append(h("span", { class: "choice" }, chosen.name.replaceAll("_", " ")));
    for (let value = 0; value < chosen.size; value++) {
      const toggle = (): void => {
        const next = kept.has(value)
          ? [...kept].filter((other) => other !== value)
          : [...kept, value].sort((a, b) => a - b);
        change({ keep: next.length === chosen.size || next.length === 0 ? undefined : next.join(".") });
        chips.querySelectorAll("button")[value]?.focus();
      };
      chips.append(
        h(
          "button",
          { type: "button", class: "chip", "aria-pressed": String(kept.has(value)), click: toggle },
          String(value),
        ),
      );
    }
  }

  function keptValues(size: number): ReadonlySet<number> {
    const listed = (state.get("keep") ?? "")
      .split(".")
      .filter((text) => /^\d+$/.test(text))
      .map(Number);
    return new Set(listed.length > 0 ? listed : Array.from({ length: size }, (_, value) => value));
  }

  function chosenPairs(): Pairs {
    const chosen = factor();
    const kept = keptValues(chosen?.size ?? 0);
    const all = Array.from({ length: sample.pairs }, (_, pair) => pair);
    const labels = chosen === undefined ? undefined : sample.labels[1][chosen.name];
    const fitting = labels === undefined ? all : all.filter((pair) => kept.has(labels[pair]!));
    const size = state.get("pairs") ?? "all";
    const taken = size === "all" ? fitting : fitting.slice(0, Number(size));
    const order = stream(1, "shuffled pairs").permutation(Math.max(1, taken.length));
    const matched = state.get("match") !== "no";
    return taken.map((pair, at) => [pair, matched ? pair : taken[order[at]!]!] as const);
  }

  async function refresh(): Promise<void> {
    const pairs = chosenPairs();
    if (pairs.length < 8) {
      result.replaceChildren(h("p", {}, `Only ${pairs.length} pairs are let in: let in more.`));
      return;
    }
    if (result.childElementCount === 0) result.append(h("p", { class: "hint" }, "Computing …"));
    const factors = common.map(({ name }) => name);
    result.replaceChildren(...shown(await sharedBits(pairs, { model, sample, factors, seed: 1 })));
  }

  function shown({ pairs, rate, disagreement, usable, exact }: SharedBits): HTMLElement[] {
    const names = common.map(({ name }) => name.replaceAll("_", " ")).join(", ");
    const bars: BitBar[] = [
      ...(exact === undefined
        ? []
        : [
            {
              id: "exact",
              label: "Exact, of these pairs",
              note: `Gács-Körner information of the labels (${names})`,
              bits: exact,
            },
          ]),
      ...(usable === undefined
        ? []
        : [
            {
              id: "usable",
              label: "Read from the common code",
              note: "linear classifier on view 1's code, judged on pairs it has not seen",
              block: "common",
              ...usable,
            },
          ]),
      { id: "rate-1", label: "Rate of the common code, view 1", block: "common", ...rate[1] },
      { id: "rate-2", label: "Rate of the common code, view 2", block: "common", ...rate[2] },
      { id: "disagreement", label: "Disagreement of the encoders", ...disagreement },
    ];
    const whole = data.commonInformationBits;
    return [
      h("h2", {}, `${pairs} pairs`),
      bitBars(bars),
      whole === undefined
        ? h("p", { class: "hint" }, "The exact value of all pairs of this data is not known.")
        : h(
            "p",
            { class: "hint" },
            "Exact value of all pairs of this data, by its construction: ",
            h("b", { "data-whole": whole }, `${whole.toFixed(3)} bits`),
            ".",
          ),
    ];
  }
}
