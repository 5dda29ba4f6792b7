import { existsSync } from "node:fs";
import path from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import { beforeAll, expect, test } from "vitest";
import { createSession } from "../../runtime/create-session.ts";
import { run } from "../serve/score/command-line.ts";
import { folder, graphModel, save, setWeights } from "./saved-models.ts";

/** `cominfo convert` as a person runs it: in a process of its own, in which nobody has used tfjs before. */

beforeAll(() => tf.setBackend("cpu"));

async function converted(name: string, file: string): Promise<readonly string[]> {
  const out = path.join(folder, `${name}.onnx`);
  const { code, stderr } = await run("convert", file, "--out", out);
  expect([code, stderr]).toEqual([0, expect.stringContaining(`to ${out}: `)]);
  expect(existsSync(out)).toBe(true);
  const session = await createSession(out);
  await session.release();
  return session.outputNames;
}

test("a saved layers model is converted by a fresh process", async () => {
  const dense = layers.layers.dense({ units: 2, inputShape: [3], name: "scores" });
  const model = layers.sequential({ layers: [dense] });
  setWeights(model);
  expect(await converted("scores", await save("fresh-layers", model))).toEqual(["scores"]);
});

test("a saved graph model is converted by a fresh process", async () => {
  expect(await converted("classes", graphModel("fresh-graph"))).toEqual(["classes"]);
});

test("a conversion says what it made, without advice of tfjs to install something else", async () => {
  const { code, stdout, stderr } = await run("convert", graphModel("quiet"), "--out", path.join(folder, "quiet.onnx"));
  expect([code, stdout]).toEqual([0, ""]);
  expect(stderr).toMatch(/^Converted a graph model to .*\n {2}in: .*\n {2}out: .*\n {2}largest difference .*\n$/);
});

test("the help of convert has examples that can be run as they are", async () => {
  const { stdout } = await run("convert", "--help");
  const [, examples = ""] = stdout.split("\nExamples:\n");
  const lines = examples.trim().split("\n");
  expect(lines.length).toBeGreaterThanOrEqual(2);
  const model = graphModel("examples");
  for (const line of lines) {
    const [prompt, program, verb = "", file, ...flags] = line.trim().split(" ");
    expect([prompt, program, verb, file]).toEqual(["$", "cominfo", "convert", "saved/model.json"]);
    const placed = flags.map((flag) => (flag.endsWith(".onnx") ? path.join(folder, flag) : flag));
    expect(await run("convert", model, ...placed)).toMatchObject({ code: 0 });
  }
});

test.each(["0", "1", "much", ""])("a tolerance of %j is refused", async (text) => {
  const { code, stderr } = await run("convert", "model.json", "--out", "x.onnx", "--tolerance", text);
  expect(code).toBe(2);
  expect(stderr).toContain(`--tolerance must be above 0 and at most 0.01, for instance 2e-5, got "${text}"`);
});
