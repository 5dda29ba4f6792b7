import "../../../export/tfjs-setup.ts";
import { expect, test, vi } from "vitest";
import type { CompiledStep } from "../../../train/engine/compile-step.ts";

/** Device tensors that the engine holds and has not disposed; reading or feeding a disposed one is a fault. */
const live = new Set<object>();

vi.mock("../../../runtime/create-session.ts", () => ({
  async createSession() {
    const tensor = (value: number) => {
      const made = {
        device: "webgpu",
        dtype: "float32",
        shape: [],
        value,
        async read() {
          if (!live.has(made)) throw new Error("read of a disposed tensor");
          return { dtype: "float32", shape: [], data: Float32Array.of(value) };
        },
        dispose: () => void live.delete(made),
      };
      live.add(made);
      return made;
    };
    return {
      inputNames: ["a", "b", "batch/x"],
      async runKeeping(feeds: Record<string, { dispose?: () => void }>) {
        for (const [name, feed] of Object.entries(feeds)) {
          if (feed.dispose !== undefined && !live.has(feed)) throw new Error(`fed a disposed tensor: ${name}`);
        }
        const host = { loss: { dtype: "float32", shape: [], data: Float32Array.of(1) } };
        return { host, kept: { "a.next": tensor(1), "b.next": tensor(2) } };
      },
      async release() {},
    };
  },
}));

test("a GPU engine holds one tensor a variable, however many steps it does, and none when it is disposed", async () => {
  const { createCompiledEngine } = await import("../../../train/engine/compiled-engine.ts");
  const scalar = { dtype: "float32", shape: [], data: Float32Array.of(0) } as const;
  const step: CompiledStep = {
    model: new Uint8Array(),
    inputs: ["batch/x", "a", "b"],
    terms: ["loss"],
    variables: ["a", "b"].map((name) => ({ name, input: name, output: `${name}.next` })),
    initial: new Map([
      ["a", scalar],
      ["b", scalar],
    ]),
  };
  const engine = await createCompiledEngine(step, { device: "webgpu" });
  for (let i = 0; i < 5; i++) {
    expect(await engine.step({ "batch/x": scalar })).toEqual({ loss: 1 });
    expect(live.size).toBe(2);
  }
  expect((await engine.readState()).get("b")!.data).toEqual(Float32Array.of(2));
  await engine.writeState(new Map([["a", scalar]]));
  expect(live.size).toBe(1);
  await engine.step({ "batch/x": scalar });
  await engine.dispose();
  expect(live.size).toBe(0);
});
