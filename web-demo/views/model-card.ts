import { stream } from "../../information/random.ts";
import { button, h, select } from "../element.ts";
import { sizeText } from "../number-text.ts";
import { wideTable } from "../wide-table.ts";
import { figureTable } from "./figure-table.ts";
import { isDrawn, taskBench } from "./task-bench.ts";
import type { AnyModelView, Dispose, ModelContext } from "./view.ts";

/**
 * Any model: what it is, what was measured of it, and each of its tasks to try.
 *
 * Address: `task`, `row` (number in the sample, or seed of made-up inputs).
 */
export const modelCard: AnyModelView = {
  id: "model",
  title: "Model",
  needs: "model",
  fault: (model) => (Object.keys(model.manifest.tasks).length === 0 ? "its bundle has no task" : undefined),
  mount,
};

function mount(root: HTMLElement, context: ModelContext): Dispose {
  const { state, model } = context;
  const { manifest } = model;
  const names = Object.keys(manifest.tasks);
  const random = stream(Date.now(), "page");
  const task = (): string => names.find((name) => name === state.get("task")) ?? names[0]!;
  const bench = h("div", {});
  let dispose: Dispose = () => {};
  const others = button(
    "Other inputs",
    () => {
      state.set({ row: String(random.integer(1e6)) });
      show();
    },
    { class: "main" },
  );
  const show = (): void => {
    others.hidden = isDrawn({ ...context, task: task() });
    dispose();
    dispose = taskBench(bench, { ...context, task: task() });
  };
  const facts: readonly (readonly [string, string])[] = [
    ["family", manifest.family],
    ["recipe", `${manifest.recipe}, seed ${manifest.seed}`],
    ["trained", `${manifest.steps.toLocaleString("en")} steps, ${manifest.parameters.toLocaleString("en")} parameters`],
    ["made by", `${manifest.producer}, ${manifest.created.slice(0, 10)}`],
    ["data", manifest.data.summary],
  ];

  root.append(
    h("h1", {}, manifest.title),
    h("dl", { class: "facts" }, ...facts.flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)])),
    h("h2", {}, "Try a task"),
    h(
      "div",
      { class: "row actions" },
      select(
        "Task",
        names.map((name) => [name, name.replaceAll("_", " ")] as const),
        {
          value: task(),
          change(name) {
            state.set({ task: name, row: undefined });
            show();
          },
        },
      ),
      others,
    ),
    bench,
    ...(manifest.evaluation.length === 0
      ? []
      : [h("h2", {}, "What was measured of it"), figureTable(manifest.evaluation)]),
    h("h2", {}, "All tasks"),
    wideTable(
      "Tasks of the model",
      h(
        "table",
        {},
        h("tr", {}, ...["task", "file", "what it does"].map((text) => h("th", { scope: "col" }, text))),
        ...Object.entries(manifest.tasks).map(([name, { description, file, bytes }]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, h("code", {}, name)),
            h("td", {}, h("a", { href: model.base + file, download: `${name}.onnx` }, `${sizeText(bytes)} ONNX`)),
            h("td", {}, description),
          ),
        ),
      ),
    ),
  );
  show();
  return () => dispose();
}
