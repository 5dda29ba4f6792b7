import type { Command } from "commander";
import { parseBatch, parseOpset } from "./convert-options.ts";
import { opset as writtenOpset } from "./finish.ts";
import { parityTolerance, parseTolerance } from "./parse-tolerance.ts";

interface ConvertFlags {
  readonly out: string;
  readonly name?: string;
  readonly batch: "dynamic" | number;
  readonly opset: number;
  readonly tolerance: number;
}

const examples = `
Examples:
  $ cominfo convert saved/model.json --out classifier.onnx
  $ cominfo convert saved/model.json --out classifier.onnx --batch 1 --name classifier
  $ cominfo convert saved/model.json --out sharp.onnx --tolerance 5e-5
`;

/** Adds the verb `convert`. */
export function addConvertCommand(program: Command): void {
  program
    .command("convert")
    .description("converts a saved tfjs model (layers or graph) to ONNX, and proves that both agree")
    .argument("<model.json>", "the saved model; its weight shards lie beside it")
    .requiredOption("--out <file>", "the ONNX file to write")
    .option("--name <name>", "of the graph (default: that of --out)")
    .option("--batch <size>", "dynamic, or a fixed number of rows", parseBatch, "dynamic")
    .option("--opset <version>", `the compiler writes ${writtenOpset}`, parseOpset, writtenOpset)
    .option(
      "--tolerance <share>",
      "largest difference from tfjs and WASM, of an output's scale",
      parseTolerance,
      parityTolerance,
    )
    .addHelpText("after", examples)
    .action(convertVerb);
}

async function convertVerb(model: string, { out, name, batch, opset, tolerance }: ConvertFlags): Promise<void> {
  // Loaded only now: tfjs and the compiler take a second that `cominfo --help` should not.
  const { convert } = await import("./convert.ts");
  const { format, graph, outputs, bytes, parity } = await convert({
    model,
    out,
    batch,
    opset,
    tolerance,
    ...(name === undefined ? {} : { name }),
  });
  const types = (values: typeof graph.inputs): string =>
    values.map((value) => `${value.name} ${value.dtype} [${value.shape.join(", ")}]`).join(", ");
  const worst = Math.max(0, ...parity.map(({ maxRelativeError }) => maxRelativeError));
  console.error(
    `Converted a ${format} to ${out}: ${graph.nodes.length} nodes, ${bytes.length} bytes, opset ${graph.opset}`,
  );
  console.error(`  in:  ${types(graph.inputs)}`);
  console.error(`  out: ${types(graph.outputs)}`);
  for (const [i, { name, source, isPlain }] of outputs.entries()) {
    if (!isPlain) console.error(`       ${name} is output ${i + 1} of the model, ${source}`);
  }
  console.error(`  largest difference from tfjs and WASM ${worst.toExponential(1)} of the scale, allowed ${tolerance}`);
}
