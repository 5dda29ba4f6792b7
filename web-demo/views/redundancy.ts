import { stream } from "../../information/random.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { type BitBar, bitBars } from "../charts/bit-bars.ts";
import { valueBars } from "../charts/value-bars.ts";
import { button, h, replaceControls, select } from "../element.ts";
import { latest } from "../latest.ts";
import { exampleFeeds } from "../model/example-feeds.ts";
import {
  figuresOf,
  type Problem,
  problemsOf,
  type Redundancy,
  redundancyOf,
  type Source,
  targetsOf,
  taskOf,
} from "../model/problems.ts";
import { paint, picture } from "../pictures/paint.ts";
import { figureTable } from "./figure-table.ts";
import type { AnyModelView, Dispose, ModelContext } from "./view.ts";

/**
 * Sources that predict a target: what each says of one example, and how much they say alike, in bits, of all examples.
 *
 * Address: `problem`, `example` (number in the sample).
 */
export const redundancy: AnyModelView = {
  id: "redundancy",
  title: "Redundancy",
  needs: "model",
  fault: (model) =>
    problemsOf(model).length === 0
      ? `this view asks what several sources tell about one target, and the model reads ${model.inputs.join(", ")}`
      : undefined,
  mount,
};

/** Rows that are seeded noise where the bundle brings no sample. */
const seed = 1;

function mount(root: HTMLElement, { state, model, tensors, fail }: ModelContext): Dispose {
  const problems = problemsOf(model);
  const random = stream(Date.now(), "page");
  const problem = (): Problem => problems.find(({ id }) => id === state.get("problem")) ?? problems[0]!;
  const targets = (): Int32Array | undefined => targetsOf(tensors, problem());
  const example = (): number => Number(state.get("example") ?? 0) % (targets()?.length ?? 1);
  const controls = h("div", { class: "row actions" });
  const sources = h("div", { class: "sources" });
  const apart = h("p", {});
  const whole = h("div", { class: "panel" });
  const figures = h("div", {});
  const update = latest(refresh, { busy: root, onError: (error) => fail(error, () => void update()) });
  let measured: { readonly id: string; readonly found: Redundancy } | undefined;

  root.append(
    h("h1", {}, "What all sources tell alike"),
    h(
      "p",
      { class: "lead" },
      `${model.manifest.title}. Each source has a predictor of its own, and all must give the same answer. What they still tell about the target is what any one of them would have told: it is `,
      h("b", { class: "common" }, "redundant"),
      ".",
    ),
    controls,
    h("h2", {}, "One example"),
    sources,
    apart,
    h("h2", {}, "All examples of the sample"),
    whole,
    h(
      "div",
      { class: "panel" },
      h("h2", {}, "What the redundant information is, and what it is not"),
      h(
        "ul",
        {},
        h("li", {}, "It is what one learns of the target from any one source, no matter which, in bits."),
        h(
          "li",
          {},
          "It belongs to a set of examples. One example has two predictions and a distance, no bits of its own.",
        ),
        h(
          "li",
          {},
          "It is not the information that the sources share: two may share much that says nothing of the target.",
        ),
        h("li", {}, "What only both together tell (parity, for instance) is not in it: that is synergy."),
        h(
          "li",
          {},
          "It is measured by networks. Where they have missed something it is too small; where they still disagree it is too large, so read it with the disagreement.",
        ),
      ),
    ),
    figures,
  );
  change({});
  return () => {};

  function change(changes: Readonly<Record<string, string | undefined>>): void {
    state.set(changes);
    showControls();
    void update();
  }

  function showControls(): void {
    const count = targets()?.length;
    replaceControls(
      controls,
      ...(problems.length < 2
        ? []
        : [
            select(
              "Target",
              problems.map(({ id }) => [id, id.toUpperCase()] as const),
              { value: problem().id, change: (id) => change({ problem: id }) },
            ),
          ]),
      ...(count === undefined
        ? []
        : [
            button("Random example", () => change({ example: String(random.integer(count)) }), { class: "main" }),
            h("span", { class: "choice" }, `example ${example() + 1} of ${count}`),
          ]),
    );
  }

  async function refresh(): Promise<void> {
    const chosen = problem();
    const row = example();
    const target = targets()?.[row];
    const feeds = exampleFeeds(model, taskOf("redundant_information", chosen.id), { tensors, rows: [row], seed });
    const cards: HTMLElement[] = [];
    const predictions: number[][] = [];
    for (const source of chosen.sources) {
      const given = feeds[source.input.name]!;
      const { probabilities } = await model.run(source.task, { [source.input.name]: given });
      predictions.push(Array.from(probabilities!.data, Number));
      cards.push(sourceCard(source, { given, probabilities: predictions.at(-1)!, problem: chosen, target }));
    }
    sources.replaceChildren(...cards);
    const distance = meanDistance(predictions);
    apart.replaceChildren(
      "The predictions are ",
      h("b", { "data-distance": distance }, distance.toFixed(3)),
      " apart: 0 is the same answer, 2 the most there is (sum of the differences).",
    );
    if (targets() === undefined) {
      whole.replaceChildren(
        h("p", {}, "This bundle brings no examples with their targets, so there is nothing to measure."),
      );
    } else if (measured?.id !== chosen.id) {
      if (whole.childElementCount === 0) whole.append(h("p", { class: "hint" }, "Computing …"));
      const rows = Array.from({ length: targets()!.length }, (_, at) => at);
      measured = { id: chosen.id, found: await redundancyOf(model, chosen, { tensors, rows, seed }) };
      whole.replaceChildren(...measuredParts(measured.found, chosen));
    }
    if (figures.dataset.problem === chosen.id) return; // else it would close under the reader
    figures.dataset.problem = chosen.id;
    const known = figuresOf(model, chosen);
    figures.replaceChildren(
      ...(known.length === 0
        ? []
        : [
            h(
              "details",
              {},
              h("summary", {}, `What was measured after training, on fresh examples (${known.length} figures)`),
              figureTable(known),
            ),
          ]),
    );
  }

  function measuredParts(found: Redundancy, { sources: all }: Problem): HTMLElement[] {
    const exact = figuresOf(model, problem()).filter(
      ({ quantity, unit }) => /^exact\./.test(quantity) && unit === "bits",
    );
    const bars: BitBar[] = [
      { id: "redundant", label: "Redundant: all sources alike", block: "common", ...found.redundant },
      ...all.flatMap(({ number }, at): BitBar[] => {
        const alone = found.alone[at];
        return alone === undefined
          ? []
          : [{ id: `alone-${number}`, label: `Source ${number} alone`, block: `unique_${number}`, ...alone }];
      }),
      ...(found.together === undefined ? [] : [{ id: "together", label: "All sources together", ...found.together }]),
      { id: "entropy", label: "Entropy of the target", note: "all there is to tell", bits: found.entropy },
      ...exact.map(({ quantity, value }) => ({
        id: quantity,
        label: `Exact: ${quantity.split(".").at(-1)!}`,
        note: "of the true distribution, by information/",
        bits: value,
      })),
    ];
    return [
      bitBars(bars),
      h(
        "p",
        {},
        `${found.examples} examples. Mean distance of the predictions that should agree: `,
        h("b", { "data-disagreement": found.disagreement }, found.disagreement.toFixed(3)),
        found.disagreement > 0.1 ? ": they do not agree, so the redundant bits are too many." : ": they agree.",
      ),
    ];
  }
}

function sourceCard(
  { number, input }: Source,
  {
    given,
    probabilities,
    problem,
    target,
  }: {
    given: HostTensor;
    probabilities: readonly number[];
    problem: Problem;
    target: number | undefined;
  },
): HTMLElement {
  const [, height = 1, width = 1, channels = 0] = given.shape;
  let shown: HTMLElement;
  if (given.shape.length === 4 && given.dtype === "uint8" && (channels === 1 || channels === 3)) {
    const canvas = picture({ height, width, channels }, `Source ${number}`);
    paint(canvas, given.data as Uint8Array);
    shown = h("div", { class: "source-picture" }, canvas);
  } else {
    const values = Array.from(given.data, Number).slice(0, 8);
    const more = given.data.length > values.length ? " …" : "";
    shown = h("p", { class: "source-value" }, values.map((value) => value.toFixed(2)).join(", ") + more);
  }
  const bars = problem.classes.map((name, at) => ({
    name: name.replaceAll("_", " "),
    value: probabilities[at]!,
    ...(at === target ? { remark: "true" } : {}),
  }));
  return h(
    "section",
    { class: `card unique_${number}`, "data-source": number },
    h("h3", {}, `Source ${number}`),
    h("p", { class: "hint" }, input.description),
    shown,
    h("h4", {}, "says of the target"),
    valueBars(bars, { most: 1, block: `unique_${number}` }),
  );
}

/** L1 distance of two predictions; of more, the mean over pairs, as the tasks have it. */
function meanDistance(predictions: readonly (readonly number[])[]): number {
  const pairs = predictions.flatMap((one, i) => predictions.slice(i + 1).map((two) => [one, two] as const));
  const distances = pairs.map(([one, two]) => one.reduce((sum, value, k) => sum + Math.abs(value - two[k]!), 0));
  return distances.reduce((sum, value) => sum + value, 0) / Math.max(1, distances.length);
}
