import { stream } from "../../information/random.ts";
import { elementCount, type HostTensor } from "../../schemas/tensor.ts";
import { button, h } from "../element.ts";
import { latest } from "../latest.ts";
import { exampleFeeds } from "../model/example-feeds.ts";
import type { Block, Gaussians, ImageShape, Model } from "../model/model.ts";
import { toBytes } from "../model/sample.ts";
import { imageFromText, imageToText } from "../pictures/own-image.ts";
import { row } from "../pictures/paint.ts";
import { bitsOf, dimensionRows, scaleOf } from "./dimension-rows.ts";
import { meanChange, readEdits, writeEdits } from "./edits.ts";
import { ImageCard } from "./image-card.ts";
import { labelText } from "./labels.ts";
import { traversal } from "./traversal.ts";
import type { AnyModelView, Dispose, ModelContext } from "./view.ts";

/**
 * A model of single pictures: the code of one as bars, sliders for its dimensions, and what each of them does.
 *
 * Address: `one` (number of a picture, or the picture itself), `set` (dragged dimensions).
 */
export const oneView: AnyModelView = {
  id: "one-view",
  title: "One picture",
  needs: "model",
  fault: (model) =>
    pictureModel(model) === undefined
      ? `this view takes one picture to a code and back, and the model reads ${model.inputs.join(", ")}`
      : undefined,
  mount,
};

/** What `encode` reads and `decode` answers. */
interface PictureModel {
  readonly input: string;
  readonly output: string;
  readonly shape: ImageShape;
}

function pictureModel(model: Model): PictureModel | undefined {
  const [input, ...others] = model.task("encode")?.inputs ?? [];
  const decode = model.task("decode");
  const output = decode?.outputs.find(({ shape }) => shape.length === 4);
  if (input === undefined || others.length > 0 || output === undefined) return undefined;
  const [, height = 0, width = 0, channels = 0] = input.shape;
  const isPicture = input.dtype === "uint8" && input.shape.length === 4 && (channels === 1 || channels === 3);
  const codes = model.blocks.map(({ name }) => name);
  const reads = decode!.inputs.every(({ name }) => codes.includes(name));
  return isPicture && reads
    ? { input: input.name, output: output.name, shape: { height, width, channels } }
    : undefined;
}

/** Pictures over which the dimensions are ordered. */
const judged = 64;
const leastBits = 0.05;

function mount(root: HTMLElement, { state, model, tensors, fail }: ModelContext): Dispose {
  const { input, output, shape } = pictureModel(model)!;
  const { data } = model.manifest;
  const size = shape.height * shape.width * shape.channels;
  const random = stream(Date.now(), "page");
  const edits = readEdits(state.get("set"));
  let pictures: HostTensor | undefined;
  let image = new Uint8Array(size);
  let codes: Record<string, Gaussians> = {};
  let unmoved: Float32Array | undefined;
  let order: ReturnType<typeof ordered> | undefined;
  let stale = true;
  let fromAddress = true;
  let later: ReturnType<typeof setTimeout> | undefined;

  const card = new ImageCard({ title: "The picture", block: "picture", id: "1" }, shape, {
    onRandom: another,
    onOwn(pixels, done) {
      image = pixels.slice();
      stale = true;
      edits.clear();
      void update();
      if (!done) return;
      card.showGiven(pixels, "your picture");
      void imageToText(pixels).then((text) => state.set({ one: text, set: undefined }));
    },
    onFault: (error) => fail(error, () => {}),
  });
  const rows = model.blocks.map((block) => ({
    block,
    ...dimensionRows(block, {
      hint: "Drag one and see what it stands for. The mark is what the encoder says of the picture.",
      onDrag: (dimension, value) => move([[dimension, value]]),
    }),
  }));
  const strips = traversal(model.blocks, { shape, onPick: (dimension, value) => move([[dimension, value]]) });
  const undo = button("Undo drags", () => {
    edits.clear();
    move([]);
  });
  const update = latest(refresh, { busy: root, onError: (error) => fail(error, () => void update()) });
  const updateStrips = latest(showStrips, { busy: strips.root, onError: (error) => fail(error, () => void update()) });

  root.append(
    h("h1", {}, "One picture and its code"),
    h(
      "p",
      { class: "lead" },
      `${model.manifest.title}. The model squeezes a picture into ${dimensionCount(model.blocks)} numbers and draws it again from them. The bits say how much of each number is spent on the picture: one of 0 bits says nothing.`,
    ),
    h(
      "div",
      { class: "row actions" },
      button("Random picture", another, { class: "main" }),
      button("Draw a code from the prior", () => {
        move(model.blocks.flatMap(({ dimensions }) => dimensions.map((name) => [name, random.normal()] as const)));
      }),
      undo,
    ),
    h("div", { class: "one-story" }, card.root, h("div", {}, ...rows.map(({ root: element }) => element))),
    h("h2", {}, "What each number does"),
    h(
      "p",
      { class: "hint" },
      "Each line changes one number of this picture's code, from left to right, and leaves the others. Those that carry most bits, on average over the sample, come first. Press a picture to take its value.",
    ),
    strips.root,
    h("p", { class: "hint" }, data.summary),
  );
  void update();
  return () => {
    clearTimeout(later);
    card.stopDrawing();
  };

  function another(): void {
    edits.clear();
    state.set({ set: undefined });
    void setImage(String(random.integer(pictures?.shape[0] ?? 1))).then(update);
  }

  function move(values: readonly (readonly [string, number])[]): void {
    for (const [dimension, value] of values) edits.set(dimension, value);
    state.set({ set: edits.size === 0 ? undefined : writeEdits(edits) });
    void update();
  }

  /** @param text number of a picture of the sample, or a picture */
  async function setImage(text: string): Promise<void> {
    card.stopDrawing();
    const own = /^\d+$/.test(text) ? undefined : await imageFromText(text, size);
    pictures ??= await samplePictures();
    const at = own === undefined ? Number(/^\d+$/.test(text) ? text : 0) % pictures.shape[0]! : undefined;
    image = (own ?? row(pictures, at!)).slice() as Uint8Array<ArrayBuffer>;
    stale = true;
    state.set({ one: at === undefined ? text : String(at) });
    card.showGiven(image, at === undefined ? "your picture" : labelText(data.factors, labels(), at));
  }

  function labels(): Record<string, Int32Array> {
    const known = data.factors.flatMap(({ name }) => {
      const found = tensors.get(`label_1/${name}`);
      return found === undefined ? [] : [[name, found.data as Int32Array] as const];
    });
    return Object.fromEntries(known);
  }

  /** Of the bundle; where it brings none, pictures that the model draws itself from its prior. */
  async function samplePictures(): Promise<HostTensor> {
    const brought = tensors.get(input);
    if (brought !== undefined) return brought;
    const feeds = exampleFeeds(model, "decode", {
      tensors,
      rows: Array.from({ length: judged }, (_, i) => i),
      seed: 1,
    });
    return toBytes((await model.run("decode", feeds))[output]!);
  }

  async function refresh(): Promise<void> {
    if (fromAddress) await setImage(state.get("one") ?? "0");
    fromAddress = false;
    if (stale) {
      stale = false;
      codes = await encode({ dtype: "uint8", shape: [1, shape.height, shape.width, shape.channels], data: image });
      unmoved = undefined;
    }
    unmoved ??= row(await decode([means()]), 0) as Float32Array;
    const pixels = edits.size === 0 ? unmoved : (row(await decode([moved()]), 0) as Float32Array);
    card.showMade(pixels, edits.size === 0 ? undefined : 255 * meanChange(pixels, unmoved));
    const scale = scaleOf(Object.values(codes).map((code) => [code]));
    for (const { block, show } of rows) show([codes[block.name]!], { edits, scale });
    undo.disabled = edits.size === 0;
    clearTimeout(later);
    later = setTimeout(() => void updateStrips(), 120); // not for each step of a drag
  }

  async function encode(images: HostTensor): Promise<Record<string, Gaussians>> {
    const outputs = await model.run("encode", { [input]: images });
    const found = model.blocks.map(({ name, dimensions }) => [
      name,
      {
        mean: outputs[`${name}_mean`]!.data as Float32Array,
        logvar: outputs[`${name}_logvar`]!.data as Float32Array,
        dims: dimensions.length,
      },
    ]);
    return Object.fromEntries(found) as Record<string, Gaussians>;
  }

  function means(): Map<string, number> {
    const all = model.blocks.flatMap(({ name, dimensions }) =>
      dimensions.map((dimension, at) => [dimension, codes[name]!.mean[at]!] as const),
    );
    return new Map(all);
  }

  function moved(): Map<string, number> {
    return new Map([...means(), ...edits]);
  }

  async function decode(values: readonly ReadonlyMap<string, number>[]): Promise<HostTensor> {
    const feeds = Object.fromEntries(
      model.task("decode")!.inputs.map(({ name, shape: [, ...dims] }) => {
        const { dimensions } = model.block(name)!;
        const flat = values.flatMap((code) => dimensions.map((dimension) => code.get(dimension) ?? 0));
        const tensor: HostTensor = {
          dtype: "float32",
          shape: [values.length, ...dims],
          data: Float32Array.from(flat).subarray(0, values.length * elementCount(dims)),
        };
        return [name, tensor];
      }),
    );
    return (await model.run("decode", feeds))[output]!;
  }

  async function showStrips(): Promise<void> {
    order ??= ordered();
    await strips.show(await order, { code: moved(), leastBits, decode });
  }

  /** All dimensions with their mean bits over the sample, most first. */
  async function ordered(): Promise<{ dimension: string; bits: number }[]> {
    const some = Math.min(judged, pictures!.shape[0]!);
    const first = (pictures!.data as Uint8Array).subarray(0, some * size);
    const found = await encode({ dtype: "uint8", shape: [some, ...pictures!.shape.slice(1)], data: first.slice() });
    const bits = model.blocks.flatMap(({ name, dimensions }) =>
      dimensions.map((dimension, at) => {
        const { mean, logvar, dims } = found[name]!;
        let sum = 0;
        for (let i = 0; i < some; i++) {
          const from = i * dims;
          const one = { mean: mean.subarray(from, from + dims), logvar: logvar.subarray(from, from + dims), dims };
          sum += bitsOf([one], at);
        }
        return { dimension, bits: sum / some };
      }),
    );
    return bits.sort((a, b) => b.bits - a.bits);
  }
}

function dimensionCount(blocks: readonly Block[]): number {
  return blocks.reduce((sum, { dimensions }) => sum + dimensions.length, 0);
}
