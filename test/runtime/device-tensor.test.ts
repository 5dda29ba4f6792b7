import { describe, expect, test } from "vitest";
import { createSession } from "../../runtime/create-session.ts";
import type { Device } from "../../runtime/session.ts";
import type { Dtype, HostTensor } from "../../schemas/tensor.ts";
import { useSwiftshader } from "../swiftshader.ts";
import { affine, tinyModel } from "../tiny-models.ts";

const { skipReason } = await useSwiftshader();
const devices: { device: Device; skip: boolean }[] = [
  { device: "cpu", skip: false },
  { device: "webgpu", skip: skipReason !== undefined },
];

/** One step of a running sum: `sum.next = sum + x`, `twice = 2 sum.next`. */
const accumulate = tinyModel({
  inputs: [
    { name: "sum", dtype: "float32", shape: ["n"] },
    { name: "x", dtype: "float32", shape: ["n"] },
  ],
  outputs: [
    { name: "sum.next", dtype: "float32", shape: ["n"] },
    { name: "twice", dtype: "float32", shape: ["n"] },
  ],
  nodes: [
    { op: "Add", inputs: ["sum", "x"], outputs: ["sum.next"] },
    { op: "Add", inputs: ["sum.next", "sum.next"], outputs: ["twice"] },
  ],
});

const row = (...values: number[]): HostTensor => ({
  dtype: "float32",
  shape: [values.length],
  data: Float32Array.from(values),
});

describe.each(devices)("a tensor kept on $device", ({ device, skip }) => {
  test.skipIf(skip)("is the state of the next run, while other outputs come to the host", async () => {
    const session = await createSession(accumulate, { device, keepOnDevice: ["sum.next"] });
    let step = await session.runKeeping({ sum: row(1, 2, 3), x: row(10, 20, 30) });
    for (let i = 0; i < 9; i++) {
      const next = await session.runKeeping({ sum: step.kept["sum.next"]!, x: row(10, 20, 30) });
      step.kept["sum.next"]!.dispose();
      step = next;
    }
    expect(Object.keys(step.host)).toEqual(["twice"]);
    expect([...step.host.twice!.data]).toEqual([202, 404, 606]);
    const kept = step.kept["sum.next"]!;
    expect([kept.device, kept.dtype, kept.shape]).toEqual([device, "float32", [3]]);
    expect(await kept.read()).toEqual(row(101, 202, 303));
    expect(await kept.read(), "reading leaves it usable").toEqual(row(101, 202, 303));
    kept.dispose();
    await session.release();
  });

  test.skipIf(skip)("can be fed to another session of the device", async () => {
    const source = await createSession(accumulate, { device, keepOnDevice: ["sum.next", "twice"] });
    const target = await createSession(accumulate, { device });
    const { kept } = await source.runKeeping({ sum: row(1), x: row(2) });
    const outputs = await target.run({ sum: kept["sum.next"]!, x: kept.twice! });
    expect([...outputs["sum.next"]!.data]).toEqual([9]);
    for (const tensor of Object.values(kept)) tensor.dispose();
    await Promise.all([source.release(), target.release()]);
  });

  test.skipIf(skip).each<[Dtype, HostTensor["data"]]>([
    ["int32", Int32Array.of(-1, 2 ** 31 - 1)],
    ["uint8", Uint8Array.of(0, 255)],
    ["bool", Uint8Array.of(1, 0)],
    ["int64", BigInt64Array.of(-1n, 2n ** 40n)],
  ])("is read back as %s", async (dtype, data) => {
    const model = tinyModel({
      inputs: [{ name: "x", dtype, shape: ["n"] }],
      outputs: [{ name: "y", dtype, shape: ["n"] }],
      nodes: [{ op: "Identity", inputs: ["x"], outputs: ["y"] }],
    });
    const session = await createSession(model, { device, keepOnDevice: ["y"] });
    const { kept } = await session.runKeeping({ x: { dtype, shape: [2], data } });
    expect(await kept.y!.read()).toEqual({ dtype, shape: [2], data });
    kept.y!.dispose();
    await session.release();
  });

  test.skipIf(skip)("is refused by name once disposed, and its shape is checked like any other", async () => {
    const session = await createSession(accumulate, { device, keepOnDevice: ["sum.next"] });
    const { kept } = await session.runKeeping({ sum: row(1, 2), x: row(1, 2) });
    const sum = kept["sum.next"]!;
    await expect(session.runKeeping({ sum, x: row(1) })).rejects.toThrow('"x" must have n = 2 as "sum" has, got 1');
    sum.dispose();
    sum.dispose(); // disposing twice is harmless
    await expect(session.runKeeping({ sum, x: row(1, 2) })).rejects.toThrow(
      '"sum" must be a live device tensor, got a disposed one',
    );
    await session.release();
  });

  test.skipIf(skip)("cannot be lost by run(), which returns host tensors only", async () => {
    const session = await createSession(accumulate, { device, keepOnDevice: ["sum.next"] });
    await expect(session.run({ sum: row(1), x: row(1) })).rejects.toThrow("must be run by runKeeping");
    await session.release();
  });
});

test.skipIf(skipReason !== undefined)("a CPU session refuses a tensor on WebGPU", async () => {
  const gpu = await createSession(accumulate, { device: "webgpu", keepOnDevice: ["twice"] });
  const cpu = await createSession(accumulate);
  const { kept } = await gpu.runKeeping({ sum: row(1), x: row(1) });
  await expect(cpu.run({ sum: kept.twice!, x: row(1) })).rejects.toThrow(
    '"sum" must be on cpu, got a tensor on webgpu',
  );
  kept.twice!.dispose();
  await Promise.all([gpu.release(), cpu.release()]);
});

test.skipIf(skipReason !== undefined)(
  "WebGPU sessions of one process run in turn and all give their own result",
  async () => {
    const sessions = await Promise.all([1, 2, 3].map(() => createSession(accumulate, { device: "webgpu" })));
    const results = await Promise.all(
      sessions.flatMap((session, i) =>
        [0, 1, 2].map(async (j) => (await session.run({ sum: row(i), x: row(10 * j) }))["sum.next"]!.data[0]),
      ),
    );
    expect(results).toEqual([0, 10, 20, 1, 11, 21, 2, 12, 22]);
    await Promise.all(sessions.map((session) => session.release()));
  },
);

test("keeping an output that the model does not have is a UsageError", async () => {
  await expect(createSession(affine, { keepOnDevice: ["z"] })).rejects.toMatchObject({
    name: "UsageError",
    message: 'Cannot keep outputs on the device: "z" must be outputs of the model, got y',
  });
});
