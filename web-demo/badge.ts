import { compareWithServer, type Comparison } from "./compare.ts";
import { messageOf } from "./download.ts";
import type { Engine, Preference } from "./engine/engine.ts";
import { button, h, select } from "./element.ts";
import type { Model } from "./model/model.ts";
import type { PageState } from "./state.ts";
import { forgetToken, knownToken } from "./token.ts";

/** Which model runs where, and how fast; unfolds to a choice of backends and a comparison with the server. */
export function showBadge(root: HTMLElement, { engine, state }: { engine: Engine; state: PageState }) {
  let model: Model | undefined;
  const line = h("summary", {}, "Loading …");
  const result = h("div", { class: "comparison", "aria-live": "polite" });
  const compare = button("Compare with server", () => void showComparison());
  const facts = h("p", {});
  const backend = select(
    "Backend",
    [
      ["auto", "WebGPU if there is a GPU, else WASM"],
      ["webgpu", "WebGPU"],
      ["wasm", "WASM, one thread"],
    ],
    {
      value: state.get("backend") ?? "auto",
      change(value) {
        state.set({ backend: value === "auto" ? undefined : value });
        line.textContent = "Changing the backend …";
        engine.prefer(value as Preference);
        engine.start().then(update, (error: unknown) => {
          line.textContent = messageOf(error);
        });
      },
    },
  );
  const share = button("Copy link to this view", () => {
    void navigator.clipboard.writeText(location.href).then(() => {
      share.textContent = "Copied";
    });
  });
  const forget = button("Forget the token", () => {
    forgetToken();
    location.reload(); // what it opened is in memory
  });
  root.append(
    h("details", { class: "badge" }, line, facts, h("div", { class: "row" }, backend, compare, share, forget), result),
  );

  async function showComparison(): Promise<void> {
    if (model === undefined) return;
    result.textContent = "Asking the server …";
    compare.disabled = true;
    try {
      result.replaceChildren(comparisonTable(await compareWithServer(model), engine.backend ?? ""));
    } catch (error) {
      result.textContent = messageOf(error);
    } finally {
      compare.disabled = false;
    }
  }

  function update(): void {
    forget.hidden = knownToken() === undefined;
    const name = engine.backend === "webgpu" ? "WebGPU" : "WASM";
    const median = medianOf(engine.latencies);
    const parts = [
      engine.backend === undefined ? "runtime not loaded yet" : name,
      ...(median === undefined ? [] : [`${median.toFixed(1)} ms a run`]),
      ...(model === undefined ? [] : [model.manifest.name]),
    ];
    line.textContent = parts.join(" · ");
    line.dataset.backend = engine.backend ?? "";
    line.dataset.latency = String(median ?? "");
    compare.hidden = model === undefined;
    facts.textContent = "";
    if (model === undefined) return;
    const { family, title, parameters, steps, producer } = model.manifest;
    facts.textContent = `${title}. Family ${family}, ${parameters.toLocaleString("en")} parameters, ${steps.toLocaleString("en")} training steps, made by ${producer}. ONNX Runtime Web ${engine.version}; the time is the median of the last ${engine.latencies.length} runs in this page.`;
  }
  setInterval(update, 500);
  return {
    update,
    /** Where the address asks for another backend. */
    choose(preference: Preference) {
      backend.querySelector("select")!.value = preference;
    },
    /** @param shown undefined where the view is of no model of the site */
    show(shown: Model | undefined) {
      if (shown !== model) {
        result.replaceChildren();
        engine.forgetLatencies();
      }
      model = shown;
      update();
    },
  };
}

function comparisonTable({ rows, largest, task }: Comparison, backend: string): HTMLElement {
  const body = rows.map(({ output, difference, scale }) =>
    h(
      "tr",
      {},
      h("td", {}, h("code", {}, output)),
      h("td", {}, difference.toExponential(1)),
      h("td", {}, scale.toFixed(3)),
    ),
  );
  const head = ["output", "largest difference", "largest value"].map((text) => h("th", { scope: "col" }, text));
  return h(
    "div",
    { "data-largest": largest },
    h(
      "p",
      {},
      `Largest difference between this page (${backend}) and the server: ${largest.toExponential(1)}, task ${task}, 4 rows.`,
    ),
    h("table", {}, h("tr", {}, ...head), ...body),
  );
}

function medianOf(values: readonly number[]): number | undefined {
  if (values.length === 0) return undefined;
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}
