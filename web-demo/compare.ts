import type { InferResponse } from "../schemas/open-inference.ts";
import type { Dtype, HostTensor } from "../schemas/tensor.ts";
import { messageOf } from "./download.ts";
import type { Model } from "./model/model.ts";
import { exampleFeeds } from "./model/example-feeds.ts";
import { loadTensors } from "./model/sample.ts";
import { fetchFromServer } from "./token.ts";

export interface Comparison {
  readonly task: string;
  readonly rows: readonly { readonly output: string; readonly difference: number; readonly scale: number }[];
  readonly largest: number;
}

const rows = [0, 1, 2, 3];

const datatypes: Readonly<Record<Dtype, string>> = {
  float32: "FP32",
  int32: "INT32",
  int64: "INT64",
  uint8: "UINT8",
  bool: "BOOL",
};

/**
 * Runs one task here and on the server that serves this page (Open Inference Protocol, JSON), on the same rows: of
 * the bundle's sample, or seeded noise.
 *
 * @throws Error with one line where there is no such server
 */
export async function compareWithServer(model: Model): Promise<Comparison> {
  const task =
    ["encode", "encode_1"].find((name) => model.task(name) !== undefined) ?? Object.keys(model.manifest.tasks)[0];
  if (task === undefined) throw new Error("This model has nothing to compare: its bundle has no task");
  const feeds = exampleFeeds(model, task, { tensors: await loadTensors(model), rows, seed: 1 });
  const here = await model.run(task, feeds);
  const there = await askServer(`${model.manifest.name}.${task}`, feeds);
  const compared = there.outputs.map(({ name, data }) => {
    const mine = here[name]!.data as Float32Array;
    const theirs = (data as unknown[]).flat(8) as number[];
    const difference = theirs.reduce((most, value, i) => Math.max(most, Math.abs(value - mine[i]!)), 0);
    return { output: name, difference, scale: theirs.reduce((most, value) => Math.max(most, Math.abs(value)), 0) };
  });
  return { task, rows: compared, largest: Math.max(...compared.map(({ difference }) => difference)) };
}

async function askServer(name: string, feeds: Readonly<Record<string, HostTensor>>): Promise<InferResponse> {
  const inputs = Object.entries(feeds).map(([input, { dtype, shape, data }]) => ({
    name: input,
    shape,
    datatype: datatypes[dtype],
    data: Array.from(data, Number),
  }));
  const url = `v2/models/${name}/infer`;
  let response: Response;
  try {
    const headers = { "content-type": "application/json" };
    response = await fetchFromServer(url, { method: "POST", headers, body: JSON.stringify({ inputs }) });
  } catch (cause) {
    throw new Error(`No server answers here (${messageOf(cause)})`, { cause });
  }
  const isJson = response.headers.get("content-type")?.startsWith("application/json") ?? false;
  if (!response.ok || !isJson) {
    throw new Error(
      `No cominfo server answers here (status ${response.status} for ${url}): this is a static copy of the page. Run "npx cominfo serve models".`,
    );
  }
  return (await response.json()) as InferResponse;
}
