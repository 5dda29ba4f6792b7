import type { Figure, Manifest, TaskManifest, TensorSpec } from "../schemas/manifest.ts";

/** The README.md of a bundle, made from its manifest and the tolerance that its files were proved with. */
export function modelCard(manifest: Omit<Manifest, "files">, tolerance: number): string {
  return `${[
    `# ${manifest.title}`,
    about(manifest),
    "## Data",
    data(manifest),
    ...(manifest.latents.length === 0
      ? []
      : [
          "## Latents",
          table(
            ["block", "dimensions"],
            manifest.latents.map(({ name, dimensions }) => [code(name), dimensions.map(code).join(", ")]),
          ),
        ]),
    "## Evaluation",
    evaluation(manifest.evaluation),
    "## Tasks",
    "Every task is one self-contained ONNX file (float32, `-1` is the batch, any size). Preprocessing is inside: images go in as uint8.",
    ...Object.entries(manifest.tasks).map(([name, task]) => taskSection(name, task)),
    "## Parity",
    `Largest difference from each reference, relative to the largest value of the output, on seeded inputs (noise, structure, zeros, large values). An export above ${tolerance.toExponential()} is refused.`,
    parity(manifest.tasks),
    "## Use",
    usage(manifest),
  ].join("\n\n")}\n`;
}

function about({ name, family, recipe, seed, steps, parameters, created, producer }: Omit<Manifest, "files">): string {
  return table(
    ["", ""],
    [
      ["name", code(name)],
      ["family", code(family)],
      ["recipe", code(recipe)],
      ["seed", String(seed)],
      ["steps", thousands(steps)],
      ["parameters", thousands(parameters)],
      ["created", created],
      ["made by", producer],
    ],
  );
}

const roles = { common: "common to both views", unique: "unique to each view", single: "of the image" } as const;

function data({
  data: { name, summary, factors, commonInformationBits, provenance },
  samples,
}: Omit<Manifest, "files">): string {
  const exact =
    commonInformationBits === undefined
      ? []
      : [`Exact common information of a pair (Gacs-Korner): ${commonInformationBits.toFixed(3)} bits.`];
  return [
    `\`${name}\`: ${summary}`,
    ...exact,
    ...(factors.length === 0
      ? []
      : [
          table(
            ["factor", "values", "bits", "role"],
            factors.map((factor) => [
              factor.name,
              thousands(factor.size),
              Math.log2(factor.size).toFixed(3),
              roles[factor.role],
            ]),
          ),
        ]),
    table(
      ["provenance", ""],
      Object.entries(provenance).map(([key, value]) => [key, code(value)]),
    ),
    ...(samples === undefined
      ? []
      : [
          `[${samples.file}](${samples.file}): ${samples.pairs} pairs with their labels (safetensors, gzip), which the browser demo shows.`,
        ]),
  ].join("\n\n");
}

function evaluation(figures: readonly Figure[]): string {
  if (figures.length === 0) return "Not evaluated: the run holds no results.";
  const hasPaper = figures.some((figure) => figure.paper !== undefined);
  const hasGoal = figures.some((figure) => figure.met !== undefined);
  const header = [
    "quantity",
    "unit",
    "value",
    "95% interval",
    ...(hasPaper ? ["paper"] : []),
    ...(hasGoal ? ["goal", "met"] : []),
    "estimator",
    "n",
  ];
  return table(
    header,
    figures.map((figure) => [
      code(figure.quantity),
      figure.unit,
      figure.value.toFixed(3),
      figure.interval === undefined ? "" : figure.interval.map((x) => x.toFixed(3)).join(" to "),
      ...(hasPaper ? [figure.paper === undefined ? "" : String(figure.paper)] : []),
      ...(hasGoal ? [goal(figure), figure.met === undefined ? "" : figure.met ? "yes" : "no"] : []),
      figure.estimator,
      thousands(figure.n),
    ]),
  );
}

function goal({ minimum, maximum }: Figure): string {
  if (minimum !== undefined && maximum !== undefined) return `${minimum} to ${maximum}`;
  if (minimum !== undefined) return `at least ${minimum}`;
  return maximum === undefined ? "" : `at most ${maximum}`;
}

function taskSection(name: string, task: TaskManifest): string {
  const rows = (direction: string, specs: readonly TensorSpec[]): string[][] =>
    specs.map((spec) => [
      direction,
      code(spec.name),
      `${spec.dtype} [${spec.shape.join(", ")}]`,
      spec.unit ?? "",
      spec.description,
    ]);
  return [
    `### ${code(name)}`,
    `${task.description}. [${task.file}](${task.file}), ${(task.bytes / 2 ** 20).toFixed(1)} MiB, opset ${task.opset}.`,
    table(["", "name", "type", "unit", "meaning"], [...rows("in", task.inputs), ...rows("out", task.outputs)]),
  ].join("\n\n");
}

function parity(tasks: Manifest["tasks"]): string {
  const references = [
    ...new Set(Object.values(tasks).flatMap((task) => task.parity.map(({ reference }) => reference))),
  ];
  return table(
    ["task", ...references],
    Object.entries(tasks).map(([name, task]) => [
      code(name),
      ...references.map((reference) => {
        const errors = task.parity.filter((entry) => entry.reference === reference);
        return Math.max(...errors.map((entry) => entry.maxRelativeError)).toExponential(1);
      }),
    ]),
  );
}

function usage({ name, tasks }: Omit<Manifest, "files">): string {
  const [task, { inputs, file }] = Object.entries(tasks)[0]!;
  const one = (spec: TensorSpec): string =>
    `    "${spec.name}": np.zeros((${spec.shape.map((size) => `${size === -1 ? 1 : size},`).join(" ")}), np.${spec.dtype === "bool" ? "bool_" : spec.dtype}),`;
  const model = `http://127.0.0.1:8080/v2/models/${name}.${task}`;
  return [
    "All commands from this folder. This project's server (Open Inference Protocol v2):",
    fenced("sh", [
      "npx cominfo serve . --port 8080",
      `curl -s ${model}/example | curl -s -H 'content-type: application/json' -d @- ${model}/infer`,
    ]),
    "Python, with nothing but ONNX Runtime:",
    fenced("python", [
      "import numpy as np",
      "import onnxruntime as ort",
      "",
      `session = ort.InferenceSession("${file}")`,
      "outputs = session.run(None, {",
      ...inputs.map(one),
      "})",
      "names = [output.name for output in session.get_outputs()]",
      "units = session.get_modelmeta().custom_metadata_map  # output.<name>.unit",
    ]),
    `NVIDIA Triton: this folder is a model repository as it stands (models ${Object.keys(tasks).map(code).join(", ")}).`,
    fenced("sh", [
      'docker run --rm -p 8000:8000 -v "$PWD:/models" nvcr.io/nvidia/tritonserver:26.09-py3 tritonserver --model-repository=/models',
    ]),
  ].join("\n\n");
}

function fenced(language: string, lines: readonly string[]): string {
  return [`\`\`\`${language}`, ...lines, "```"].join("\n");
}

function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(escaped).join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}

/** A bar inside a cell would end it, even between backticks. */
const escaped = (cell: string): string => cell.replaceAll("|", "\\|").replaceAll("\n", " ");
const code = (text: string): string => `\`${text}\``;
const thousands = (count: number): string => count.toLocaleString("en-US");
