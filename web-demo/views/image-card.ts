import { button, h } from "../element.ts";
import type { ImageShape } from "../model/model.ts";
import { drawOn, readImage } from "../pictures/own-image.ts";
import { contextOf, paint, picture, readPixels } from "../pictures/paint.ts";

export interface CardAbout {
  /** `View 1`. */
  readonly title: string;
  /** Class that colours it. */
  readonly block: string;
  /** In `data-view`: by which tests and styles find it. */
  readonly id: string;
}

export interface CardEvents {
  /** Where there are others to take. */
  readonly onRandom?: () => void;
  /** An image of the visitor's own; `done` is false while it is still being drawn. */
  readonly onOwn: (pixels: Uint8Array, done: boolean) => void;
  /** Where another view could generate this one. */
  readonly onHide?: () => void;
  readonly onFault: (error: unknown) => void;
}

/** Two pictures, the one given and the model's, and the ways to bring another. */
export class ImageCard {
  readonly root: HTMLElement;
  readonly given: HTMLCanvasElement;
  readonly made: HTMLCanvasElement;
  /** What the model has made last, intensities 0..1. */
  madePixels: Float32Array = new Float32Array();
  readonly #shape: ImageShape;
  readonly #events: CardEvents;
  readonly #hide: HTMLButtonElement;
  readonly #draw: HTMLButtonElement;
  readonly #moved = h("span", { class: "moved" });
  readonly #caption = h("figcaption", {});
  readonly #draws = h("div", { class: "draws" });
  #stopDrawing: (() => void) | undefined;

  constructor({ title, block, id }: CardAbout, shape: ImageShape, events: CardEvents) {
    this.#shape = shape;
    this.#events = events;
    this.given = picture(shape, `${title} as given`);
    this.made = picture(shape, `${title} as the model makes it`);
    this.#draw = button("Draw", () => this.toggleDrawing(), {
      title: "Draw a picture of your own",
      "aria-pressed": "false",
    });
    this.#hide = button("Hide", () => events.onHide?.(), {
      title: "Let the other view generate this one",
      hidden: events.onHide === undefined,
    });
    const file = h("input", {
      type: "file",
      accept: "image/*",
      class: "visually-hidden",
      "aria-label": `Picture for ${title.toLowerCase()}`,
      change: () => void this.#read(file.files?.[0]),
    });
    this.root = h(
      "section",
      { class: `card ${block}`, "data-view": id },
      h("h2", {}, title),
      h(
        "div",
        { class: "pictures" },
        h("figure", { class: "given" }, this.given, this.#caption),
        h("figure", { class: "made" }, this.made, h("figcaption", {}, "from its codes ", this.#moved)),
      ),
      this.#draws,
      h(
        "div",
        { class: "row" },
        button("Random", () => events.onRandom?.(), {
          title: "Another picture of the sample",
          hidden: events.onRandom === undefined,
        }),
        this.#draw,
        h("label", { class: "button" }, "Open…", file),
        this.#hide,
      ),
    );
    this.#acceptDrops();
  }

  showGiven(pixels: Uint8Array, caption: string): void {
    paint(this.given, pixels);
    this.#caption.textContent = caption;
  }

  /** @param moved mean change of a pixel by what was dragged, 0..255; undefined where nothing was */
  showMade(pixels: Float32Array, moved: number | undefined): void {
    paint(this.made, pixels);
    this.madePixels = pixels;
    this.#moved.textContent = moved === undefined ? "" : `moved by ${moved.toFixed(1)}`;
    this.#moved.dataset.moved = moved === undefined ? "" : String(moved);
  }

  /** Hidden: several pictures that go with the other view, made by drawing this one's own code. */
  showHidden(draws: readonly Float32Array[] | undefined): void {
    const hidden = draws !== undefined;
    this.root.classList.toggle("is-hidden", hidden);
    this.#hide.textContent = hidden ? "Show" : "Hide";
    this.#hide.setAttribute("aria-pressed", String(hidden));
    const canvases = (draws ?? []).map((pixels, at) => {
      const canvas = picture(this.#shape, `Generated picture ${at + 1}`);
      paint(canvas, pixels);
      return canvas;
    });
    this.#draws.replaceChildren(...canvases);
  }

  stopDrawing(): void {
    this.#stopDrawing?.();
    this.#stopDrawing = undefined;
    this.#draw.setAttribute("aria-pressed", "false");
    this.#draw.textContent = "Draw";
  }

  /** Lets the pointer draw on an empty picture, or ends it. */
  toggleDrawing(): void {
    if (this.#stopDrawing !== undefined) {
      this.stopDrawing();
      this.#events.onOwn(readPixels(this.given, this.#shape), true);
      return;
    }
    const context = contextOf(this.given);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.given.width, this.given.height);
    const onStroke = (): void => this.#events.onOwn(readPixels(this.given, this.#shape), false);
    this.#stopDrawing = drawOn(this.given, { onStroke });
    this.#draw.setAttribute("aria-pressed", "true");
    this.#draw.textContent = "Done";
    this.#caption.textContent = "draw here";
  }

  #acceptDrops(): void {
    this.root.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.root.classList.add("drop");
    });
    this.root.addEventListener("dragleave", () => this.root.classList.remove("drop"));
    this.root.addEventListener("drop", (event) => {
      event.preventDefault();
      this.root.classList.remove("drop");
      void this.#read(event.dataTransfer?.files[0]);
    });
  }

  async #read(file: File | undefined): Promise<void> {
    if (file === undefined) return;
    this.stopDrawing();
    try {
      this.#events.onOwn(await readImage(file, this.#shape), true);
    } catch (error) {
      this.#events.onFault(error);
    }
  }
}
