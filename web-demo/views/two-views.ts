import { stream } from "../../information/random.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { button, h } from "../element.ts";
import { latest } from "../latest.ts";
import { type Gaussians, type Model, other, type View, views } from "../model/model.ts";
import { imageFromText, imageToText } from "../pictures/own-image.ts";
import { row } from "../pictures/paint.ts";
import { labelText } from "./labels.ts";
import { dimensionRows } from "./dimension-rows.ts";
import { meanChange, readEdits, writeEdits } from "./edits.ts";
import { ImageCard } from "./image-card.ts";
import { type Dispose, lackOf, type PairContext, type PairView } from "./view.ts";

/**
 * Two views, one story: what both share can be dragged for both at once, swapped, and is enough to make a hidden view.
 *
 * Address: `one`, `two` (number of a pair, or the picture itself), `set` (dragged dimensions), `swap`, `hide`, `draw`.
 */
export const twoViews: PairView = {
  id: "two-views",
  title: "Two views",
  needs: "pairs",
  fault: (model) => lackOf(model, ["encode_1", "encode_2", "decode"]),
  mount,
};

const key = { 1: "one", 2: "two" } as const;
const drawnPictures = 6;

function mount(root: HTMLElement, { state, model, sample, fail }: PairContext): Dispose {
  const shape = { 1: model.image(1)!, 2: model.image(2)! };
  const images: Record<View, Uint8Array> = { 1: new Uint8Array(), 2: new Uint8Array() };
  let codes: Record<View, Record<string, Gaussians>> = { 1: {}, 2: {} };
  const edits = readEdits(state.get("set"));
  /** What the present codes make without any drag: the drag's effect is measured against it. */
  let unmoved: Record<View, HostTensor> | undefined;
  /** Whether an image has changed since the codes were made. */
  let stale = true;
  let fromAddress = true;
  const random = stream(Date.now(), "page");

  const cards = { 1: makeCard(1), 2: makeCard(2) };
  const rows = model.blocks.map((block) => {
    const own: View | undefined = block.name === "unique_1" ? 1 : block.name === "unique_2" ? 2 : undefined;
    const hint =
      own === undefined
        ? "Drag one: both pictures change. The two marks are what view 1 and view 2 say."
        : `Drag one: only view ${own} should change.`;
    const shown = dimensionRows(block, {
      hint,
      onDrag(dimension, value) {
        edits.set(dimension, value);
        state.set({ set: writeEdits(edits) });
        void update();
      },
    });
    return { block, own, ...shown };
  });

  const swap = button("Swap the common codes", () => {
    state.set({ swap: state.get("swap") === undefined ? "1" : undefined });
    void update();
  });
  const undo = button("Undo drags", () => {
    edits.clear();
    state.set({ set: undefined });
    void update();
  });
  root.append(
    h("h1", {}, "What two views share"),
    h(
      "p",
      { class: "lead" },
      `${model.manifest.title}. Each picture is turned into a `,
      h("b", { class: "common" }, "common"),
      " code, which the other view shares, and a ",
      h("b", { class: "unique_1" }, "unique"),
      " code of ",
      h("b", { class: "unique_2" }, "its own"),
      "; the numbers are bits. Drag, draw, swap, hide.",
    ),
    h(
      "div",
      { class: "row actions" },
      button("Random pair", () => choosePair(random.integer(sample.pairs)), { class: "main" }),
      button("Two that do not match", () => chooseStrangers()),
      swap,
      undo,
    ),
    h("div", { class: "story" }, cards[1].root, ...rows.map(({ root: element }) => element), cards[2].root),
    h("p", { class: "hint" }, priorText(model)),
    sample.generated
      ? h("p", { class: "hint" }, "This bundle brings no data: the pairs are drawn by the model itself.")
      : h("p", { class: "hint" }, model.manifest.data.summary),
  );

  const update = latest(refresh, { busy: root, onError: (error) => fail(error, () => void update()) });
  void update();
  return () => {
    for (const view of views) cards[view].stopDrawing();
  };

  function makeCard(view: View): ImageCard {
    return new ImageCard({ title: `View ${view}`, block: `unique_${view}`, id: String(view) }, shape[view], {
      onRandom: () => void setImage(view, String(random.integer(sample.pairs))).then(update),
      onOwn(pixels, done) {
        images[view] = pixels;
        stale = true;
        edits.clear();
        void update();
        if (done) {
          cards[view].showGiven(pixels, "your picture");
          void imageToText(pixels).then((text) => state.set({ [key[view]]: text, set: undefined }));
        }
      },
      onHide() {
        const hidden = state.get("hide") === String(view);
        state.set({ hide: hidden ? undefined : String(view), draw: hidden ? undefined : String(random.integer(1e6)) });
        void update();
      },
      onFault: (error) => fail(error, () => {}),
    });
  }

  function choosePair(pair: number): void {
    state.set({ set: undefined, swap: undefined });
    edits.clear();
    void Promise.all(views.map((view) => setImage(view, String(pair)))).then(update);
  }

  /** Two pairs that differ in a common factor, where labels tell; else any two. */
  function chooseStrangers(): void {
    const first = random.integer(sample.pairs);
    const factors = model.manifest.data.factors.filter(({ role }) => role === "common").map(({ name }) => name);
    const differs = (pair: number): boolean =>
      pair !== first && factors.every((name) => sample.labels[1][name]?.[pair] !== sample.labels[1][name]?.[first]);
    const start = random.integer(sample.pairs);
    const order = Array.from({ length: sample.pairs }, (_, i) => (start + i) % sample.pairs);
    const second = order.find(differs) ?? order.find((pair) => pair !== first) ?? first;
    state.set({ set: undefined });
    edits.clear();
    void Promise.all([setImage(1, String(first)), setImage(2, String(second))]).then(update);
  }

  /** @param text number of a pair, or a picture */
  async function setImage(view: View, text: string): Promise<void> {
    cards[view].stopDrawing();
    const { height, width, channels } = shape[view];
    const own = /^\d+$/.test(text) ? undefined : await imageFromText(text, height * width * channels);
    const pair = own === undefined ? Number(/^\d+$/.test(text) ? text : 0) % sample.pairs : undefined;
    images[view] = own ?? sample.image(view, pair!);
    stale = true;
    state.set({ [key[view]]: own === undefined ? String(pair) : text });
    cards[view].showGiven(
      images[view],
      pair === undefined ? "your picture" : labelText(model.manifest.data.factors, sample.labels[view], pair),
    );
  }

  async function refresh(): Promise<void> {
    if (fromAddress) await Promise.all(views.map((view) => setImage(view, state.get(key[view]) ?? "0")));
    fromAddress = false;
    const encoding = stale;
    if (stale) {
      const pair = { 1: imageOf(1), 2: imageOf(2) };
      codes = await model.encodePair(pair);
      stale = views.some((view) => pair[view].data !== images[view]); // a stroke may have come meanwhile
    }
    const hidden = views.find((view) => state.get("hide") === String(view));
    const given = hidden === undefined ? undefined : other(hidden);
    const swapped = state.get("swap") !== undefined && hidden === undefined;
    if (encoding || unmoved === undefined) unmoved = await make(new Map(), { swapped: false });
    const made = edits.size === 0 && !swapped ? unmoved : await make(edits, { swapped });
    for (const view of views) {
      const at = view - 1; // row 0 has view 1's common code, row 1 view 2's
      const pixels = row(made[view], at) as Float32Array;
      const before = row(unmoved[view], at) as Float32Array;
      cards[view].showMade(pixels, made === unmoved ? undefined : 255 * meanChange(pixels, before));
      cards[view].showHidden(view === hidden ? await generate(view) : undefined);
    }
    for (const { block, own, show, enable } of rows) {
      const speakers = views.filter((view) => view !== hidden && (own === undefined || own === view));
      const shown = speakers.map((view) => codes[view][block.name]).filter((code) => code !== undefined);
      show(shown, hidden === undefined ? edits : new Map());
      enable(given === undefined);
    }
    swap.setAttribute("aria-pressed", String(swapped));
    swap.disabled = hidden !== undefined;
    undo.disabled = edits.size === 0;
  }

  function imageOf(view: View): HostTensor {
    const { height, width, channels } = shape[view];
    return { dtype: "uint8", shape: [1, height, width, channels], data: images[view] };
  }

  /** Both views of both common codes: row 0 with that of view 1 and row 1 with that of view 2, the other way when swapped. */
  async function make(
    moved: ReadonlyMap<string, number>,
    { swapped }: { swapped: boolean },
  ): Promise<Record<View, HostTensor>> {
    const feeds: Record<string, Float32Array> = {};
    for (const { block, own } of rows) {
      const dims = block.dimensions.length;
      const data = new Float32Array(2 * dims);
      for (const view of views) {
        const source: View = own ?? (swapped ? other(view) : view);
        for (const [at, dimension] of block.dimensions.entries()) {
          data[(view - 1) * dims + at] = moved.get(dimension) ?? codes[source][block.name]?.mean[at] ?? 0;
        }
      }
      feeds[block.name] = data;
    }
    return model.decode(feeds, 2);
  }

  /** Pictures of `view` that go with the other: its own code is drawn, again for each. */
  async function generate(view: View): Promise<Float32Array[]> {
    const from = other(view);
    const task = `conditional_${from}to${view}`;
    const feeds: Record<string, HostTensor> = {};
    const noise = stream(Number(state.get("draw") ?? 1), "hidden", view);
    for (const { name, shape: size } of model.task(task)?.inputs ?? []) {
      if (name === `view_${from}`) {
        const data = new Uint8Array(drawnPictures * images[from].length);
        for (let i = 0; i < drawnPictures; i++) data.set(images[from], i * images[from].length);
        feeds[name] = { dtype: "uint8", shape: [drawnPictures, ...size.slice(1)], data };
      } else {
        const dims = size[1] ?? 1;
        const data = Float32Array.from({ length: drawnPictures * dims }, () => noise.normal());
        feeds[name] = { dtype: "float32", shape: [drawnPictures, dims], data };
      }
    }
    const made = (await model.run(task, feeds))[`view_${view}`]!;
    return Array.from({ length: drawnPictures }, (_, i) => row(made, i) as Float32Array);
  }
}

function priorText(model: Model): string {
  return model.tellsRates
    ? "Bits of common codes are the model's own rates (task common_information); those of unique codes are against a standard normal prior, as the bundle names no other."
    : "Bits are against a standard normal prior: the bundle neither names its prior nor tells its rates.";
}
