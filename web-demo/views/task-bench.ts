import type { TensorSpec } from "../../schemas/manifest.ts";
import { elementCount, type HostTensor } from "../../schemas/tensor.ts";
import { valueBars } from "../charts/value-bars.ts";
import { h } from "../element.ts";
import { latest } from "../latest.ts";
import { exampleFeeds, sampleOfInput } from "../model/example-feeds.ts";
import type { ImageShape } from "../model/model.ts";
import { paint, picture } from "../pictures/paint.ts";
import { ImageCard } from "./image-card.ts";
import type { Dispose, ModelContext } from "./view.ts";

/** Longer outputs are cut. */
const mostValues = 16;

/** Whether the visitor draws or opens all that the task reads: there is nothing else to take. */
export function isDrawn({ model, tensors, task }: Pick<ModelContext, "model" | "tensors"> & { task: string }): boolean {
  const { inputs } = model.task(task)!;
  return inputs.every((spec) => {
    const known = sampleOfInput(tensors, { task, input: spec.name });
    return known === undefined && spec.dtype === "uint8" && imageShape(spec) !== undefined;
  });
}

/** One task with inputs to look at, to draw where they are pictures, and its outputs as the manifest names them. */
export function taskBench(
  root: HTMLElement,
  { state, model, tensors, task, fail }: ModelContext & { readonly task: string },
): Dispose {
  const { description, inputs, outputs } = model.task(task)!;
  const row = Number(state.get("row") ?? 0);
  const feeds = exampleFeeds(model, task, { tensors, rows: [row], seed: 1 });
  const results = h("div", { class: "bench-tensors" });
  const cards: ImageCard[] = [];
  const update = latest(refresh, { busy: results, onError: (error) => fail(error, () => void update()) });
  const shown = inputs.map((spec) => {
    const shape = imageShape(spec);
    return shape !== undefined && spec.dtype === "uint8"
      ? pictureInput(spec, shape)
      : tensorBox(spec, feeds[spec.name]!);
  });
  root.replaceChildren(
    h("p", {}, `${description}.`),
    h("h3", {}, "In"),
    h("div", { class: "bench-tensors" }, ...shown),
    h("h3", {}, "Out"),
    results,
  );
  void update();
  return () => {
    for (const card of cards) card.stopDrawing();
  };

  function pictureInput(spec: TensorSpec, shape: ImageShape): HTMLElement {
    const set = (pixels: Uint8Array, caption: string): void => {
      feeds[spec.name] = { dtype: "uint8", shape: [1, shape.height, shape.width, shape.channels], data: pixels };
      card.showGiven(pixels, caption);
    };
    const known = sampleOfInput(tensors, { task, input: spec.name });
    const card = new ImageCard({ title: spec.name, block: "picture single", id: spec.name }, shape, {
      onOwn(pixels, done) {
        if (done) set(pixels.slice(), "your picture");
        else feeds[spec.name] = { ...feeds[spec.name]!, data: pixels.slice() };
        void update();
      },
      onFault: (error) => fail(error, () => {}),
    });
    cards.push(card);
    if (known !== undefined) {
      set(feeds[spec.name]!.data as Uint8Array, `number ${row % known.shape[0]!} of the sample`);
    } else {
      set(new Uint8Array(elementCount([shape.height, shape.width, shape.channels])), "");
      card.toggleDrawing();
    }
    return card.root;
  }

  async function refresh(): Promise<void> {
    const made = await model.run(task, feeds);
    results.replaceChildren(...outputs.map((spec) => tensorBox(spec, made[spec.name]!)));
  }
}

/** One tensor of one row: a picture, or bars of its values. */
function tensorBox(spec: TensorSpec, tensor: HostTensor): HTMLElement {
  const shape = imageShape(spec);
  const unit = spec.unit === undefined || spec.unit === "1" ? "" : `, ${spec.unit}`;
  const title = h("h4", {}, h("code", {}, spec.name), h("small", {}, unit));
  const box = h(
    "section",
    { class: "panel tensor", "data-tensor": spec.name },
    title,
    h("p", { class: "hint" }, spec.description),
  );
  if (shape !== undefined) {
    const canvas = picture(shape, spec.name);
    paint(canvas, tensor.data as Uint8Array | Float32Array);
    box.append(h("div", { class: "source-picture" }, canvas));
    return box;
  }
  const values = Array.from(tensor.data, Number);
  const names =
    values.length === spec.names?.length
      ? spec.names
      : values.map((_, at) => (values.length === 1 ? "value" : String(at)));
  box.append(
    valueBars(values.slice(0, mostValues).map((value, at) => ({ name: names[at]!.replaceAll("_", " "), value }))),
  );
  if (values.length > mostValues) box.append(h("p", { class: "hint" }, `and ${values.length - mostValues} more`));
  return box;
}

function imageShape({ shape }: TensorSpec): ImageShape | undefined {
  const [, height = 0, width = 0, channels = 0] = shape;
  return shape.length === 4 && (channels === 1 || channels === 3) ? { height, width, channels } : undefined;
}
