import { button, h, replaceControls, select } from "../element.ts";
import { latest } from "../latest.ts";
import { type Gaussians, type View, views } from "../model/model.ts";
import { type Plane, principalPlane } from "../model/principal-plane.ts";
import { paint, picture, row } from "../pictures/paint.ts";
import { labelled, labelText } from "./labels.ts";
import { type Dispose, lackOf, type PairContext, type PairView } from "./view.ts";

/**
 * Map of a block of the representation: the sample's codes in a plane, and what the model makes of the place under the
 * pointer.
 *
 * Address: `of` (block and view, `common.1`), `axes` (`plane` or two dimensions, `0.2`), `colour` (factor), `at` (place),
 * `base` (pair whose other codes are used).
 */
export const latentMap: PairView = {
  id: "latent-map",
  title: "Latent map",
  needs: "pairs",
  fault: (model) => lackOf(model, ["encode_1", "encode_2", "decode"]),
  mount,
};

const side = 560; // of the map's own coordinates
const rowsAtOnce = 64;

function mount(root: HTMLElement, { state, model, sample, fail }: PairContext): Dispose {
  const { factors } = model.manifest.data;
  const codes = new Map<View, Promise<Record<string, Gaussians>>>();
  const maps = model.blocks.flatMap((block) =>
    views
      .filter((view) => block.name === "common" || block.name === `unique_${view}`)
      .map((view) => ({ id: `${block.name}.${view}`, block, view, title: titled(block.title, block.name, view) })),
  );
  const shown = () => maps.find(({ id }) => id === state.get("of")) ?? maps[0]!;
  const base = (): number => Number(state.get("base") ?? 0) % sample.pairs;

  const canvas = h("canvas", {
    class: "map",
    width: 2 * side,
    height: 2 * side,
    tabindex: 0,
    role: "application",
    "aria-label": "Map of codes. Arrow keys move the cross; the pictures beside are decoded from there.",
    "aria-describedby": "map-help",
  });
  const made = { 1: picture(model.image(1)!, "View 1 decoded"), 2: picture(model.image(2)!, "View 2 decoded") };
  const place = h("p", { class: "hint", "aria-live": "polite" });
  const legend = h("div", { class: "legend" });
  const controls = h("div", { class: "row actions" });
  let layout: Layout | undefined;
  let cursor: readonly [number, number] = readPlace(state.get("at"));

  root.append(
    h("h1", {}, "Latent map"),
    h(
      "p",
      { class: "lead" },
      "Each dot is the code of one picture. Move over the map: the pictures are what the model makes of that code. Click a dot to take the other codes from its pair.",
    ),
    controls,
    h(
      "div",
      { class: "map-and-pictures" },
      h("div", { class: "panel" }, canvas, legend),
      h(
        "div",
        { class: "panel" },
        h("h2", {}, "Decoded from the cross"),
        h(
          "div",
          { class: "pictures" },
          h("figure", { class: "made" }, made[1], h("figcaption", {}, "view 1")),
          h("figure", { class: "made" }, made[2], h("figcaption", {}, "view 2")),
        ),
        place,
        h(
          "p",
          { class: "hint", id: "map-help" },
          "Mouse, finger, or arrow keys on the map; Enter takes the nearest pair.",
        ),
      ),
    ),
  );

  const update = latest(refresh, { busy: root, onError: (error) => fail(error, () => void redraw()) });
  const onMove = (event: PointerEvent): void => {
    const box = canvas.getBoundingClientRect();
    cursor = [((event.clientX - box.left) / box.width) * 2 - 1, 1 - ((event.clientY - box.top) / box.height) * 2].map(
      clampPlace,
    ) as [number, number];
    void update();
  };
  canvas.addEventListener("pointermove", onMove);
  canvas.addEventListener("pointerdown", onMove);
  canvas.addEventListener("click", () => takeNearest());
  canvas.addEventListener("keydown", (event) => {
    const step: Record<string, readonly [number, number]> = {
      ArrowLeft: [-0.04, 0],
      ArrowRight: [0.04, 0],
      ArrowUp: [0, 0.04],
      ArrowDown: [0, -0.04],
    };
    const move = step[event.key];
    if (event.key === "Enter") takeNearest();
    if (move === undefined) return;
    event.preventDefault();
    cursor = [clampPlace(cursor[0] + move[0]), clampPlace(cursor[1] + move[1])];
    void update();
  });
  showControls();
  void update();
  return () => {};

  function redraw(changes: Readonly<Record<string, string | undefined>> = {}): void {
    state.set(changes);
    layout = undefined;
    showControls();
    void update();
  }

  function takeNearest(): void {
    if (layout === undefined) return;
    state.set({ base: String(layout.nearest(cursor)) });
    void update();
  }

  function showControls(): void {
    const { block, id } = shown();
    const pairs = block.dimensions.flatMap((_, i) =>
      block.dimensions.slice(i + 1).map((_dimension, j) => [`${i}.${i + 1 + j}`, `${i + 1} and ${i + 2 + j}`] as const),
    );
    const colours = labelled(factors, sample.labels[shown().view]).map(
      ({ name, role }) => [name, `${name.replaceAll("_", " ")} (${role})`] as const,
    );
    replaceControls(
      controls,
      select(
        "Codes",
        maps.map((map) => [map.id, map.title] as const),
        {
          value: id,
          change: (of) => redraw({ of, axes: undefined }),
        },
      ),
      select("Axes", [["plane", "plane of largest variance"], ...pairs], {
        value: state.get("axes") ?? "plane",
        change: (axes) => redraw({ axes }),
      }),
      ...(colours.length === 0
        ? []
        : [select("Colour", colours, { value: colourFactor() ?? "", change: (colour) => redraw({ colour }) })]),
      button("Centre", () => {
        cursor = [0, 0];
        void update();
      }),
    );
  }

  /** The one that is asked for, else one that this code should tell: by another the map is a jumble of colours. */
  function colourFactor(): string | undefined {
    const { block, view } = shown();
    const known = labelled(factors, sample.labels[view]);
    const told = known.find(({ role }) => block.name.startsWith(role));
    return (known.find(({ name }) => name === state.get("colour")) ?? told ?? known[0])?.name;
  }

  function encoded(view: View): Promise<Record<string, Gaussians>> {
    let found = codes.get(view);
    if (found === undefined) {
      found = encodeAll(view);
      codes.set(view, found);
      found.catch(() => codes.delete(view));
    }
    return found;
  }

  async function encodeAll(view: View): Promise<Record<string, Gaussians>> {
    const parts: Record<string, Gaussians>[] = [];
    for (let from = 0; from < sample.pairs; from += rowsAtOnce) {
      const pairs = Array.from({ length: Math.min(rowsAtOnce, sample.pairs - from) }, (_, i) => from + i);
      parts.push(await model.encode(view, sample.images(view, pairs)));
    }
    return Object.fromEntries(
      Object.entries(parts[0]!).map(([name, { dims }]) => [
        name,
        {
          dims,
          mean: join(parts.map((part) => part[name]!.mean)),
          logvar: join(parts.map((part) => part[name]!.logvar)),
        },
      ]),
    );
  }

  async function refresh(): Promise<void> {
    const { block, view } = shown();
    const all = await encoded(view);
    const { mean, dims } = all[block.name]!;
    if (layout === undefined) {
      const factor = colourFactor();
      const labels = factor === undefined ? undefined : sample.labels[view][factor];
      layout = layoutOf(mean, { dims, axes: state.get("axes") });
      drawLegend(factor, labels);
    }
    drawMap(canvas, layout, { labels: colourLabels(), cursor, base: base() });
    const chosen = layout.codeAt(cursor);
    const nearest = layout.nearest(cursor);
    const feeds: Record<string, Float32Array> = { [block.name]: chosen };
    for (const other of model.blocks) {
      if (other.name === block.name) continue;
      const speaker: View = other.name === "unique_2" ? 2 : other.name === "unique_1" ? 1 : view;
      const own = (await encoded(speaker))[other.name];
      if (own !== undefined) feeds[other.name] = own.mean.slice(base() * own.dims, (base() + 1) * own.dims);
    }
    const pictures = await model.decode(feeds, 1);
    for (const each of views) paint(made[each], row(pictures[each], 0));
    state.set({ at: cursor.map((value) => value.toFixed(2)).join(",") });
    canvas.dataset.code = Array.from(chosen, (value) => value.toFixed(4)).join(",");
    canvas.dataset.base = String(base());
    const name = labelText(factors, sample.labels[view], nearest);
    place.textContent = `Nearest: pair ${nearest}${name === "" ? "" : ` (${name})`}. ${layout.note}`;
  }

  function colourLabels(): Int32Array | undefined {
    const factor = colourFactor();
    return factor === undefined ? undefined : sample.labels[shown().view][factor];
  }

  function drawLegend(factor: string | undefined, labels: Int32Array | undefined): void {
    legend.replaceChildren();
    if (factor === undefined || labels === undefined) return;
    const values = [...new Set(labels)].sort((a, b) => a - b);
    const most = Math.max(...values);
    const shownValues = values.length <= 12 ? values : [values[0]!, most];
    for (const value of shownValues) {
      const swatch = h("i", {});
      swatch.style.background = colourOf(value, most);
      legend.append(h("span", {}, swatch, `${factor.replaceAll("_", " ")} ${value}`));
    }
  }
}

interface Layout {
  /** [rows, 2], each within -1..1 */
  readonly points: Float64Array;
  readonly note: string;
  codeAt(place: readonly [number, number]): Float32Array;
  nearest(place: readonly [number, number]): number;
}

/** In a plane or along two dimensions; the dimensions that are not seen stay at the middle of the sample. */
function layoutOf(mean: Float32Array, { dims, axes }: { dims: number; axes: string | undefined }): Layout {
  const rows = mean.length / dims;
  const plane: Plane = principalPlane(mean, dims);
  const [first, second] = (axes ?? "").split(".").map(Number);
  const byDimension = first !== undefined && second !== undefined && Math.max(first, second) < dims;
  const unit = (at: number): Float64Array => Float64Array.from({ length: dims }, (_, i) => (i === at ? 1 : 0));
  const directions = byDimension ? ([unit(first), unit(second)] as const) : plane.axes;
  const raw = new Float64Array(2 * rows);
  for (let r = 0; r < rows; r++) {
    for (const [k, direction] of directions.entries()) {
      for (let i = 0; i < dims; i++) raw[2 * r + k]! += direction[i]! * (mean[r * dims + i]! - plane.centre[i]!);
    }
  }
  const scale = 1.08 * raw.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-6);
  const points = raw.map((value) => value / scale);
  return {
    points,
    note: byDimension || dims <= 2 ? "" : `The plane holds ${(100 * plane.share).toFixed(0)} % of the variance.`,
    codeAt: ([x, y]) =>
      Float32Array.from(plane.centre, (middle, i) => middle + scale * (x * directions[0][i]! + y * directions[1][i]!)),
    nearest([x, y]) {
      let best = 0;
      let least = Number.POSITIVE_INFINITY;
      for (let r = 0; r < rows; r++) {
        const distance = (points[2 * r]! - x) ** 2 + (points[2 * r + 1]! - y) ** 2;
        if (distance < least) [best, least] = [r, distance];
      }
      return best;
    },
  };
}

function drawMap(
  canvas: HTMLCanvasElement,
  { points }: Layout,
  { labels, cursor, base }: { labels: Int32Array | undefined; cursor: readonly [number, number]; base: number },
): void {
  const context = canvas.getContext("2d")!;
  const { width } = canvas;
  const x = (value: number): number => ((value + 1) / 2) * width;
  const y = (value: number): number => ((1 - value) / 2) * width;
  const ink = getComputedStyle(canvas).color;
  context.clearRect(0, 0, width, width);
  const most = labels === undefined ? 0 : labels.reduce((a, b) => Math.max(a, b), 0);
  for (let r = 0; r < points.length / 2; r++) {
    context.beginPath();
    context.arc(x(points[2 * r]!), y(points[2 * r + 1]!), 9, 0, 2 * Math.PI);
    context.fillStyle = labels === undefined ? ink : colourOf(labels[r]!, most);
    context.globalAlpha = 0.75;
    context.fill();
  }
  context.globalAlpha = 1;
  context.strokeStyle = ink;
  context.lineWidth = 4;
  context.beginPath();
  context.arc(x(points[2 * base]!), y(points[2 * base + 1]!), 16, 0, 2 * Math.PI);
  context.stroke();
  context.beginPath();
  const [cx, cy] = [x(cursor[0]), y(cursor[1])];
  context.moveTo(cx - 26, cy);
  context.lineTo(cx + 26, cy);
  context.moveTo(cx, cy - 26);
  context.lineTo(cx, cy + 26);
  context.stroke();
}

/** Colours of equal lightness round the circle for few values, from cold to warm for many. */
function colourOf(value: number, most: number): string {
  const turn = most < 12 ? (value * 360) / (most + 1) : 260 - (260 * value) / most;
  return `oklch(0.68 0.16 ${turn + 25})`;
}

function titled(title: string, name: string, view: View): string {
  return name === "common" ? `${title}, as view ${view} says` : title;
}

function join(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const clampPlace = (value: number): number => Math.min(1, Math.max(-1, value));

function readPlace(text = ""): readonly [number, number] {
  const [x = 0, y = 0] = text.split(",").map(Number);
  return Number.isFinite(x) && Number.isFinite(y) ? [clampPlace(x), clampPlace(y)] : [0, 0];
}
