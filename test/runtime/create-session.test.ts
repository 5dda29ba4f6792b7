import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createSession } from "../../runtime/create-session.ts";
import type { Session } from "../../runtime/session.ts";
import { createWasmSession } from "../../runtime/wasm-session.ts";
import type { Dtype, HostTensor } from "../../schemas/tensor.ts";
import { useSwiftshader } from "../swiftshader.ts";
import { affine, tinyModel } from "../tiny-models.ts";

const { skipReason } = await useSwiftshader();

const x: HostTensor = { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
const w: HostTensor = { dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 0, 2, 0, 1, 3) };
const b: HostTensor = { dtype: "float32", shape: [3], data: Float32Array.of(10, 20, 30) };
const y = [11, 22, 38, 13, 24, 48]; // [[1, 2], [3, 4]] [[1, 0, 2], [0, 1, 3]] + [10, 20, 30]

const identities: Record<Dtype, HostTensor["data"]> = {
  float32: Float32Array.of(-0.5, 0, 3e38),
  int32: Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1),
  uint8: Uint8Array.of(0, 7, 255),
  bool: Uint8Array.of(1, 0, 1),
  int64: BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n),
};

function identityOf(dtype: Dtype): Uint8Array {
  return tinyModel({
    inputs: [{ name: "x", dtype, shape: ["n"] }],
    outputs: [{ name: "y", dtype, shape: ["n"] }],
    nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
  });
}

const runtimes: { name: string; skip: boolean; open: (model: Uint8Array) => Promise<Session> }[] = [
  { name: "cpu", skip: false, open: (model) => createSession(model, { device: "cpu", threads: 2 }) },
  { name: "wasm", skip: false, open: (model) => createWasmSession(model) },
  { name: "webgpu", skip: skipReason !== undefined, open: (model) => createSession(model, { device: "webgpu" }) },
];

describe.each(runtimes)("a session on $name", ({ name, skip, open }) => {
  test.skipIf(skip)("computes x w + b and says where it ran and what the model takes and gives", async () => {
    const session = await open(affine);
    expect(session.device).toBe(name);
    expect(session.inputNames).toEqual(["x", "w", "b"]);
    expect(session.outputNames).toEqual(["y"]);
    expect(session.inputs[0]).toEqual({ name: "x", dtype: "float32", shape: ["n", 2] });
    const outputs = await session.run({ b, w, x });
    expect(outputs).toEqual({ y: { dtype: "float32", shape: [2, 3], data: Float32Array.from(y) } });
    await session.release();
  });

  test.skipIf(skip).each(Object.keys(identities) as Dtype[])("carries %s values unchanged", async (dtype) => {
    const session = await open(identityOf(dtype));
    const tensor = { dtype, shape: [3], data: identities[dtype] };
    expect((await session.run({ x: tensor })).y).toEqual(tensor);
    await session.release();
  });

  test.skipIf(skip)("takes an empty batch", async () => {
    const session = await open(identityOf("float32"));
    const empty: HostTensor = { dtype: "float32", shape: [0], data: new Float32Array(0) };
    expect((await session.run({ x: empty })).y).toEqual(empty);
    await session.release();
  });

  test.skipIf(skip)("gives outputs of their own: changing an input afterwards changes nothing", async () => {
    const session = await open(identityOf("float32"));
    const data = Float32Array.of(1, 2, 3);
    const { y: output } = await session.run({ x: { dtype: "float32", shape: [3], data } });
    data.fill(9);
    expect([...output!.data]).toEqual([1, 2, 3]);
    await session.release();
  });

  test.skipIf(skip)("answers runs that were asked for at once, each with its own result, in order", async () => {
    const session = await open(affine);
    const order: number[] = [];
    const batches = [1, 2, 3, 4].map(
      (n) => ({ dtype: "float32", shape: [n, 2], data: new Float32Array(2 * n).fill(n) }) as const,
    );
    const results = await Promise.all(
      batches.map(async (batch, i) => {
        const { y: output } = await session.run({ x: batch, w, b });
        order.push(i);
        return [...output!.data.slice(0, 3)];
      }),
    );
    expect(order).toEqual([0, 1, 2, 3]);
    expect(results).toEqual([1, 2, 3, 4].map((n) => [n + 10, n + 20, 5 * n + 30]));
    await session.release();
  });

  test.skipIf(skip)("lists every fault of the inputs in one UsageError", async () => {
    const session = await open(affine);
    const feeds = {
      W: w,
      x: { dtype: "int32", shape: [1, 2], data: Int32Array.of(1, 2) },
      b: { dtype: "float32", shape: [2], data: Float32Array.of(1, 2) },
    } as const;
    const error = await session.run(feeds).catch((caught: unknown) => caught);
    expect(error).toMatchObject({
      name: "UsageError",
      code: "bad_inputs",
      path: ["inputs", "W"],
      message:
        'Cannot run model: unknown input "W", did you mean "w"?; "x" must be float32, got int32; "w" is missing; ' +
        '"b" must have shape [3], got [2]',
    });
    await session.release();
  });

  test.skipIf(skip)("refuses data that does not fill the shape, before native code reads past its end", async () => {
    const session = await open(affine);
    const short: HostTensor = { dtype: "float32", shape: [2, 2], data: Float32Array.of(1, 2, 3) };
    await expect(session.run({ x: short, w, b })).rejects.toThrow('"x" must hold 4 values for shape [2, 2], got 3');
    const other: HostTensor = { dtype: "float32", shape: [2, 2], data: Int32Array.of(1, 2, 3, 4) };
    await expect(session.run({ x: other, w, b })).rejects.toThrow(
      '"x" must hold its float32 values in a Float32Array, got Int32Array',
    );
    await session.release();
  });

  test.skipIf(skip)("refuses two sizes for one symbol", async () => {
    const model = tinyModel({
      inputs: [
        { name: "left", dtype: "float32", shape: ["n", 1] },
        { name: "right", dtype: "float32", shape: ["n", 1] },
      ],
      outputs: [{ name: "sum", dtype: "float32", shape: ["n", 1] }],
      nodes: [{ op: "Add", inputs: ["left", "right"], outputs: ["sum"] }],
    });
    const session = await open(model);
    const rows = (n: number): HostTensor => ({ dtype: "float32", shape: [n, 1], data: new Float32Array(n) });
    // ONNX alone would broadcast 1 row against 2 and answer.
    await expect(session.run({ left: rows(1), right: rows(2) })).rejects.toThrow(
      '"right" must have n = 1 as "left" has, got 2',
    );
    await session.release();
  });

  test.skipIf(skip)("is usable after a failed run, and not after release", async () => {
    const session = await open(affine);
    await expect(session.run({})).rejects.toThrow("is missing");
    expect([...(await session.run({ x, w, b })).y!.data]).toEqual(y);
    await session.release();
    await expect(session.run({ x, w, b })).rejects.toThrow("must be open, got a released one");
  });

  test.skipIf(skip)("refuses bytes that are not a model with one line", async () => {
    await expect(open(Uint8Array.of(1, 2, 3))).rejects.toMatchObject({
      name: "FailureError",
      code: "bad_model",
      message: expect.stringMatching(new RegExp(`^Cannot open model on ${name}: .*protobuf parsing failed[^\n]*$`)),
    });
  });
});

describe("a model file", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), "cominfo-runtime-"));
  });
  afterAll(() => rm(folder, { recursive: true }));

  test("is opened by its path", async () => {
    const file = path.join(folder, "affine.onnx");
    await writeFile(file, affine);
    const session = await createSession(file);
    expect([...(await session.run({ x, w, b })).y!.data]).toEqual(y);
    await session.release();
  });

  test("that is missing or truncated is named", async () => {
    const missing = path.join(folder, "missing.onnx");
    await expect(createSession(missing)).rejects.toThrow(`Cannot open model: "${missing}" must be a file, got nothing`);
    const truncated = path.join(folder, "truncated.onnx");
    await writeFile(truncated, affine.subarray(0, affine.length - 9));
    await expect(createSession(truncated)).rejects.toThrow(`Cannot open model "${truncated}" on cpu: `);
  });
});

test("a thread count must be a positive integer", async () => {
  await expect(createSession(affine, { threads: 0 })).rejects.toMatchObject({
    name: "UsageError",
    message: "Cannot open model: threads must be a positive integer, got 0",
  });
});

test("a raw session entry reaches ONNX Runtime", async () => {
  await (await createSession(affine, { config: { "session.disable_prepacking": "1" } })).release();
  // A malformed value is refused by the library itself: so entries do arrive.
  await expect(createSession(affine, { config: { "session.intra_op_thread_affinities": "x" } })).rejects.toThrow(
    "Cannot open model on cpu",
  );
});

test("CUDA that is not installed fails with the command that installs it, and does not run on the CPU instead", async () => {
  const installed = await createSession(affine, { device: "cuda" }).then(
    async (session) => {
      await session.release();
      return true;
    },
    (error: unknown) => {
      expect(error).toMatchObject({ name: "FailureError", code: "no_device" });
      expect(String(error)).toMatch(
        /Cannot start device cuda: .*; (it needs CUDA 12|its libraries exist for linux-x64)/,
      );
      return false;
    },
  );
  if (installed) console.warn("CUDA is installed here: its absence was not tested");
});
