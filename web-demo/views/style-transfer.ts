import { stream } from "../../information/random.ts";
import { button, h, replaceControls, select } from "../element.ts";
import { latest } from "../latest.ts";
import { type Model, other, type View, views } from "../model/model.ts";
import { paint, picture, row } from "../pictures/paint.ts";
import { dataText, labelled, labelText } from "./labels.ts";
import { type Dispose, lackOf, type PairContext, type PairView } from "./view.ts";

/**
 * Style transfer: every content (a picture of one view) in every style (a picture of the other).
 *
 * Address: `draws` (view that is drawn), `styles` and `contents` (numbers of pairs).
 */
export const styleTransfer: PairView = {
  id: "style-transfer",
  title: "Style transfer",
  needs: "pairs",
  fault: (model) => lackOf(model, drawable(model).length > 0 ? [] : ["style_transfer_1"]),
  mount,
};

const size = 6;

/** Views that the bundle draws in another style: both, or one in a bundle that is kept small. */
const drawable = (model: Model): readonly View[] =>
  views.filter((view) => model.task(`style_transfer_${view}`) !== undefined);

function mount(root: HTMLElement, { state, model, sample, fail }: PairContext): Dispose {
  const random = stream(Date.now(), "page");
  const drawn = drawable(model);
  const styleView = (): View => drawn.find((view) => String(view) === state.get("draws")) ?? drawn[0]!;
  const { factors } = model.manifest.data;
  const commonFactors = labelled(factors, sample.labels[1]).filter(({ role }) => role === "common");
  /** What a pair's pictures have in common; the pictures may show it in two ways, as digits of which one is the next. */
  const contentText = (pair: number): string => labelText(commonFactors, sample.labels[1], pair) || `pair ${pair}`;
  /** Said of each column where it is short. */
  const named = commonFactors.length === 1 ? commonFactors[0]!.name.replaceAll("_", " ") : undefined;
  const chosen = (key: string, first: number): number[] => {
    const listed = (state.get(key) ?? "").split(".").filter((text) => /^\d+$/.test(text));
    const pairs = listed.map((text) => Number(text) % sample.pairs);
    return pairs.length === size ? pairs : Array.from({ length: size }, (_, i) => (first + i) % sample.pairs);
  };
  const shuffled = (): string => Array.from({ length: size }, () => random.integer(sample.pairs)).join(".");
  const grid = h("table", { class: "pictures-grid" });
  const text = h("p", { class: "lead" });
  const dataHint = h("p", { class: "hint" });

  root.append(
    h("h1", {}, "Style transfer"),
    text,
    dataHint,
    h(
      "div",
      { class: "row actions" },
      button(
        "Other pictures",
        () => {
          state.set({ styles: shuffled(), contents: shuffled() });
          void update();
        },
        { class: "main" },
      ),
      drawn.length < 2
        ? undefined
        : select(
            "Make pictures of",
            drawn.map((view) => [String(view), `view ${view}`]),
            {
              value: String(styleView()),
              change(value) {
                state.set({ draws: value });
                void update();
              },
            },
          ),
    ),
    h("div", { class: "grid-wrap" }, grid),
    h("p", { class: "hint" }, "Click a picture in the top row or the first column for another one."),
  );
  const update = latest(refresh, { busy: root, onError: (error) => fail(error, () => void update()) });
  void update();
  return () => {};

  async function refresh(): Promise<void> {
    const style = styleView();
    const content = other(style);
    const styles = chosen("styles", 0);
    const contents = chosen("contents", size);
    const cells = styles.flatMap((styled) => contents.map((kept) => ({ styled, kept })));
    const outputs = await model.run(`style_transfer_${style}`, {
      [`view_${style}`]: sample.images(
        style,
        cells.map(({ styled }) => styled),
      ),
      [`view_${content}`]: sample.images(
        content,
        cells.map(({ kept }) => kept),
      ),
    });
    const made = outputs[`styled_view_${style}`]!;
    const shape = model.image(style)!;
    const label = (view: View, pair: number): string => labelText(factors, sample.labels[view], pair) || `pair ${pair}`;
    const head = (view: View, key: "styles" | "contents", pairs: readonly number[], at: number): HTMLElement => {
      const canvas = picture(
        model.image(view)!,
        `${key === "styles" ? "Style" : "Content"}: ${label(view, pairs[at]!)}`,
      );
      paint(canvas, sample.image(view, pairs[at]!));
      const change = (): void => {
        state.set({ [key]: pairs.with(at, random.integer(sample.pairs)).join(".") });
        void update();
      };
      return h("button", { type: "button", class: `head ${view === style ? "own" : "shared"}`, click: change }, canvas);
    };
    replaceControls(
      grid,
      h(
        "tr",
        {},
        h("td", { class: "corner" }, "content →", h("br"), "style ↓"),
        ...contents.map((kept, at) =>
          h(
            "th",
            { scope: "col" },
            head(content, "contents", contents, at),
            named && h("small", { class: "expected" }, contentText(kept)),
          ),
        ),
      ),
      ...styles.map((styled, at) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, head(style, "styles", styles, at)),
          ...contents.map((kept, column) => {
            const canvas = picture(shape, `${contentText(kept)} in the style of ${label(style, styled)}`);
            paint(canvas, row(made, at * size + column));
            return h("td", {}, canvas);
          }),
        ),
      ),
    );
    grid.dataset.style = String(style);
    dataHint.textContent =
      `Data: ${dataText(model, sample)}.` +
      (named === undefined
        ? ""
        : ` Under each picture of view ${content} is the ${named} of its pair: that of the column.`);
    text.replaceChildren(
      "Every column keeps the ",
      h("b", { class: "common" }, "common"),
      ` code of its picture of view ${content}, shown as view ${style} has it; every row brings the `,
      h("b", { class: `unique_${style}` }, `own code of view ${style}`),
      `. What is common follows the column, what is a view's own follows the row.`,
    );
  }
}
