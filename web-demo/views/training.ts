import { bitsPerNat } from "../../information/units.ts";
import { lineChart } from "../charts/line-chart.ts";
import { messageOf } from "../download.ts";
import { button, h } from "../element.ts";
import { type View, views } from "../model/model.ts";
import { toBytes } from "../model/sample.ts";
import { paint, picture, row } from "../pictures/paint.ts";
import { loadStep, type StepFiles } from "../training/step-files.ts";
import { type Terms, Trainer } from "../training/trainer.ts";
import type { Dispose, FreeView, ViewContext } from "./view.ts";

/**
 * Training in the page: the compiled step is an ordinary ONNX graph, so the browser trains as the server does.
 *
 * Address: `seed`.
 */
export const training: FreeView = {
  id: "training",
  title: "Train here",
  needs: "list",
  mount,
};

const shownPairs = [0, 1, 2, 3, 4, 5];
/** Milliseconds between two looks at the pictures while it trains. */
const lookEvery = 700;

function mount(root: HTMLElement, { state, engine, catalogue, fail }: ViewContext): Dispose {
  const folder = catalogue.training[0];
  if (folder === undefined) {
    root.append(
      h("h1", {}, "Train here"),
      h("p", { class: "lead" }, "This site brings no training step (models.json)."),
    );
    return () => {};
  }
  let trainer: Trainer | undefined;
  let running = false;
  let gone = false;
  let history: Terms[] = [];
  const loss = lineChart("Loss", { unit: "nats per pair", log: true });
  const rates = lineChart("What the codes carry", { unit: "bits per pair", log: false });
  const status = h("p", { class: "lead", "data-step": 0 }, "Not started.");
  const gallery = h("div", { class: "gallery" });
  const start = button("Start", () => (running ? pause() : void begin()), { class: "main" });
  const over = button("Start over", () => void restart());
  const save = button("Download the model", () => void download(), { disabled: true });
  const seed = h("input", {
    type: "number",
    min: 0,
    max: 4294967295,
    step: 1,
    value: seedOf(),
    change: () => {
      state.set({ seed: seed.value === "1" ? undefined : String(Math.max(0, Math.floor(Number(seed.value)))) });
      void restart();
    },
  });

  root.append(
    h("h1", {}, "Train a model, here"),
    h(
      "p",
      { class: "lead" },
      "A small model that knows nothing is shown pairs of sprites: the same shape and size, each somewhere else. Press Start and watch the pictures come, and the ",
      h("b", { class: "common" }, "common"),
      " and ",
      h("b", { class: "unique_1" }, "unique"),
      " codes fill with bits. The whole step, gradients and optimiser included, is one ONNX graph that this page runs.",
    ),
    h(
      "div",
      { class: "row actions" },
      start,
      over,
      save,
      h("label", { class: "choice" }, "Seed of pairs and noise", seed),
    ),
    status,
    h(
      "div",
      { class: "training" },
      h("div", { class: "panel" }, gallery),
      h("div", { class: "panel" }, loss.root, rates.root),
    ),
  );
  void showStart();
  return () => {
    gone = true;
    running = false;
  };

  function seedOf(): number {
    const text = state.get("seed") ?? "1";
    return /^\d{1,10}$/.test(text) ? Number(text) : 1;
  }

  async function ready(): Promise<Trainer> {
    if (trainer !== undefined) return trainer;
    status.textContent = "Loading the training step …";
    const files = await stepFiles(folder!);
    trainer ??= new Trainer(files, { engine, seed: seedOf() });
    return trainer;
  }

  async function showStart(): Promise<void> {
    root.setAttribute("aria-busy", "true");
    try {
      const { about } = (await ready()).files;
      status.textContent = `${about.title}: ${about.parameters.toLocaleString("en")} parameters, ${about.samples.pairs.toLocaleString("en")} pairs, ${about.batchSize} a step.`;
      showGallery(trainer!.files, undefined);
    } catch (error) {
      fail(error, () => void showStart());
    } finally {
      root.removeAttribute("aria-busy");
    }
  }

  async function begin(): Promise<void> {
    running = true;
    start.textContent = "Pause";
    const before = trainer;
    if ((before?.step ?? 0) === 0) status.textContent = "The runtime takes in the step: some seconds …";
    try {
      await loop(await ready());
    } catch (error) {
      if (!gone) fail(error, () => void begin());
    } finally {
      // Started over meanwhile: the button is the new trainer's.
      if (before === undefined || before === trainer) {
        running = false;
        start.textContent = "Go on";
      }
    }
  }

  async function loop(current: Trainer): Promise<void> {
    let looked = 0;
    while (running && !gone && trainer === current) {
      const began = performance.now();
      const terms = await current.train();
      history = [...history.slice(0, current.step - 1), terms]; // shorter after a lost GPU
      const milliseconds = performance.now() - began;
      const bits = (name: string): number => (terms[name] ?? 0) * bitsPerNat;
      status.textContent = `Step ${current.step}: loss ${(terms[current.files.about.step.minimises] ?? 0).toFixed(1)} nats; common code ${bits("rate_common_1").toFixed(1)} bits, unique codes ${bits("rate_unique_1").toFixed(1)} and ${bits("rate_unique_2").toFixed(1)} bits. ${milliseconds.toFixed(0)} ms a step on ${engine.backend === "webgpu" ? "WebGPU" : "WASM"}.`;
      status.dataset.step = String(current.step);
      status.dataset.terms = JSON.stringify(terms);
      save.disabled = false;
      if (performance.now() - looked > lookEvery) {
        await look(current);
        looked = performance.now();
      }
    }
    if (!gone && trainer === current && current.step > 0) await look(current);
  }

  async function look(current: Trainer): Promise<void> {
    showCharts();
    const { sample } = current.files;
    const encoded = await current.run("encode", {
      view_1: sample.images(1, shownPairs),
      view_2: sample.images(2, shownPairs),
    });
    const codes = Object.fromEntries(
      Object.keys(encoded)
        .filter((name) => name.endsWith("_mean"))
        .map((name) => [name.slice(0, -"_mean".length), encoded[name]!]),
    );
    const wanted = current.files.about.tasks.decode!.inputs.map(({ name }) => [name, codes[name]!] as const);
    const made = await current.run("decode", Object.fromEntries(wanted));
    showGallery(current.files, (view, at) => row(toBytes(made[`view_${view}`]!), at) as Uint8Array);
  }

  function showCharts(): void {
    const term = (name: string, factor = 1): number[] => history.map((terms) => (terms[name] ?? 0) * factor);
    loss.show([
      { name: "loss", block: "ink", values: term(trainer!.files.about.step.minimises) },
      { name: "reconstruction", block: "soft", values: term("reconstruction") },
    ]);
    rates.show([
      { name: "common", block: "common", values: term("rate_common_1", bitsPerNat) },
      { name: "unique 1", block: "unique_1", values: term("rate_unique_1", bitsPerNat) },
      { name: "unique 2", block: "unique_2", values: term("rate_unique_2", bitsPerNat) },
    ]);
  }

  function showGallery({ sample }: StepFiles, made: ((view: View, at: number) => Uint8Array) | undefined): void {
    gallery.replaceChildren(
      ...views.flatMap((view) => {
        const shape = sample.images(view, [0]).shape;
        const image = { height: shape[1]!, width: shape[2]!, channels: shape[3]! };
        const line = (title: string, pixels: (at: number, pair: number) => Uint8Array, kind: string): HTMLElement =>
          h(
            "div",
            { class: `line ${kind}` },
            h("span", {}, title),
            ...shownPairs.map((pair, at) => {
              const canvas = picture(image, `${title}, pair ${at + 1}`);
              paint(canvas, pixels(at, pair));
              return canvas;
            }),
          );
        const blank = new Uint8Array(image.height * image.width * image.channels);
        return [
          line(`view ${view}`, (_at, pair) => sample.image(view, pair), "given"),
          line("from its codes", (at) => made?.(view, at) ?? blank, "made"),
        ];
      }),
    );
  }

  function pause(): void {
    running = false;
  }

  async function restart(): Promise<void> {
    running = false;
    const files = trainer?.files;
    if (files === undefined) return;
    trainer = new Trainer(files, { engine, seed: seedOf() });
    history = [];
    save.disabled = true;
    start.textContent = "Start";
    status.dataset.step = "0";
    await showStart();
  }

  async function download(): Promise<void> {
    if (trainer === undefined) return;
    const { files } = trainer;
    save.disabled = true;
    try {
      // Loaded only now: the ONNX schema and zip are of no use before.
      const { trainedBundle, trainedName } = await import("../training/trained-bundle.ts");
      const state = await trainer.state();
      const { seed, step } = trainer; // only now: a lost GPU may have thrown it back
      const zip = await trainedBundle(files, { state, seed, step });
      const url = URL.createObjectURL(new Blob([zip.slice()], { type: "application/zip" }));
      const link = h("a", { href: url, download: `${trainedName}.zip` });
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 10_000);
    } catch (error) {
      fail(new Error(`Cannot make the model: ${messageOf(error)}`), () => void download());
    } finally {
      save.disabled = false;
    }
  }
}

const loaded = new Map<string, Promise<StepFiles>>();

function stepFiles(folder: string): Promise<StepFiles> {
  let files = loaded.get(folder);
  if (files === undefined) {
    files = loadStep(folder, () => {});
    loaded.set(folder, files);
    files.catch(() => loaded.delete(folder));
  }
  return files;
}
