import { stream } from "../../information/random.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { button, h } from "../element.ts";
import { latest } from "../latest.ts";
import { type Block, type Gaussians, type Model, other, type View, views } from "../model/model.ts";
import { imageFromText, imageToText } from "../pictures/own-image.ts";
import { row } from "../pictures/paint.ts";
import { dataText, labelText } from "./labels.ts";
import { dimensionRows, scaleOf } from "./dimension-rows.ts";
import { meanChange, readEdits, writeEdits } from "./edits.ts";
import { ImageCard } from "./image-card.ts";
import { morph } from "./morph.ts";
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
const invitation = "Press one, and see which picture follows.";

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
  let stopMorph = (): void => {};

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
        stopMorph();
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
  const undo = button("Undo", () => {
    stopMorph();
    said.textContent = invitation;
    edits.clear();
    state.set({ set: undefined });
    void update();
  });
  const said = h("p", { class: "said", role: "status" }, invitation);
  const show = rows.map(({ block, own }) =>
    button(
      own === undefined ? "what is common" : `view ${own}'s own`,
      () => void demonstrate(block, own).catch((error: unknown) => fail(error, () => void demonstrate(block, own))),
      {
        class: `show ${block.name}`,
        "aria-label": own === undefined ? "Change what is common" : `Change what is view ${own}'s own`,
      },
    ),
  );

  root.append(
    h("h1", {}, "What two views share"),
    h(
      "p",
      { class: "lead" },
      "Two pictures of one thing. The model describes them by three codes: what they ",
      h("b", { class: "common" }, "share"),
      ", what is ",
      h("b", { class: "unique_1" }, "view 1's own"),
      ", and what is ",
      h("b", { class: "unique_2" }, "view 2's own"),
      "; the blurred pictures are drawn from these codes alone.",
    ),
    h("div", { class: "row actions" }, h("b", {}, "Change"), ...show, undo),
    said,
    h("div", { class: "story" }, cards[1].root, ...rows.map(({ root: element }) => element), cards[2].root),
    h(
      "div",
      { class: "row actions" },
      button("Random pair", () => choosePair(random.integer(sample.pairs))),
      button("Two that do not match", () => chooseStrangers()),
      swap,
    ),
    h("p", { class: "hint" }, `Model: ${model.manifest.title}. ${priorText(model)}`),
    h("p", { class: "hint" }, `Data: ${dataText(model, sample)}.`),
  );

  const update = latest(refresh, { busy: root, onError: (error) => fail(error, () => void update()) });
  void update();
  return () => {
    stopMorph();
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

  /** Pictures of two pairs that share nothing. */
  function chooseStrangers(): void {
    const first = random.integer(sample.pairs);
    const second = strangerOf(first, 1, "common");
    stopMorph();
    state.set({ set: undefined });
    edits.clear();
    void Promise.all([setImage(1, String(first)), setImage(2, String(second))]).then(update);
  }

  /** A pair whose picture of a view differs in all factors of a role, where labels tell; else any other. */
  function strangerOf(pair: number | undefined, view: View, role: "common" | "unique"): number {
    const factors = model.manifest.data.factors.filter((factor) => factor.role === role).map(({ name }) => name);
    const labels = sample.labels[view];
    const differs = (other: number): boolean =>
      other !== pair && (pair === undefined || factors.every((name) => labels[name]?.[other] !== labels[name]?.[pair]));
    const start = random.integer(sample.pairs);
    const order = Array.from({ length: sample.pairs }, (_, i) => (start + i) % sample.pairs);
    return order.find(differs) ?? order.find((other) => other !== pair) ?? start;
  }

  /** Gives a code the values that it has in another pair, so that one sees what it is about. */
  async function demonstrate(block: Block, own: View | undefined): Promise<void> {
    stopMorph();
    await update(); // there are codes to start from
    const view = own ?? 1;
    const shown = state.get(key[view]) ?? "";
    const pair = strangerOf(
      /^\d+$/.test(shown) ? Number(shown) : undefined,
      view,
      own === undefined ? "common" : "unique",
    );
    const mean = (await model.encode(view, sample.images(view, [pair])))[block.name]!.mean;
    const to = new Map(block.dimensions.map((dimension, at) => [dimension, mean[at]!]));
    const now = (at: number): number => {
      const values = views.flatMap((each) => codes[each][block.name]?.mean[at] ?? []);
      return values.reduce((a, b) => a + b, 0) / Math.max(1, values.length);
    };
    const from = new Map(block.dimensions.map((name, at) => [name, edits.get(name) ?? now(at)]));
    if (state.get("hide") !== undefined) state.set({ hide: undefined, draw: undefined });
    said.textContent = "";
    const before = { 1: cards[1].madePixels, 2: cards[2].madePixels };
    stopMorph = morph(
      { from, to },
      {
        onStep(values) {
          for (const [name, value] of values) edits.set(name, value);
          void update();
        },
        onEnd() {
          state.set({ set: writeEdits(edits) });
          void update().then(() => say(own, before));
        },
      },
    );
  }

  function say(own: View | undefined, before: Readonly<Record<View, Float32Array>>): void {
    const [one, two] = views.map((view) => (255 * meanChange(cards[view].madePixels, before[view])).toFixed(0));
    const what =
      own === undefined
        ? "The common code is now that of another pair, and both pictures follow"
        : `View ${own}'s own code is now that of another picture, and view ${own} follows`;
    said.textContent = `${what}: view 1 changed by ${one}, view 2 by ${two} (of 255, mean over the picture).`;
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
    const shown = rows.map(({ block, own }) => {
      const speakers = views.filter((view) => view !== hidden && (own === undefined || own === view));
      return speakers.map((view) => codes[view][block.name]).filter((code) => code !== undefined);
    });
    const scale = scaleOf(shown);
    for (const [at, { show, enable }] of rows.entries()) {
      show(shown[at]!, { edits: hidden === undefined ? edits : new Map(), scale });
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
