import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { HostTensor } from "../../schemas/tensor.ts";
import { Engine } from "../../web-demo/engine/engine.ts";
import type { Backend, Call, Reply } from "../../web-demo/engine/messages.ts";
import { Trainer } from "../../web-demo/training/trainer.ts";
import type { StepFiles } from "../../web-demo/training/step-files.ts";

/** The page's side of the engine with a worker that fails on command: what the visitor is told, and that work goes on. */

type Answer = (call: Call, backend: Backend) => Reply | undefined;

class FakeWorker {
  static made: FakeWorker[] = [];
  static answer: Answer;
  onmessage: ((event: { data: Reply }) => void) | undefined;
  onerror: ((event: { message: string }) => void) | undefined;
  backend: Backend = "wasm";
  terminated = false;

  constructor() {
    FakeWorker.made.push(this);
  }

  postMessage(call: Call): void {
    if (call.kind === "start") this.backend = call.backend;
    const reply = FakeWorker.answer(call, this.backend);
    if (reply !== undefined) this.say(reply);
  }

  say(reply: Reply): void {
    queueMicrotask(() => this.onmessage?.({ data: reply }));
  }

  terminate(): void {
    this.terminated = true;
  }
}

const one: HostTensor = { dtype: "float32", shape: [1], data: Float32Array.of(1) };

/** A training step without variables: one loss term, no inputs. */
const smallStep = {
  about: {
    batchSize: 1,
    step: { batch: [], noise: {}, inputs: [], terms: ["y"], minimises: "y", state: [] },
    tasks: {},
  },
  step: new Uint8Array(4),
  state: new Map(),
  schedules: {},
  sample: { pairs: 1 },
} as unknown as StepFiles;

/** Every call succeeds; a run says on which backend. */
function works({ id, kind }: Call, backend: Backend): Reply {
  if (kind === "start") return { id, value: "1.0" };
  return { id, value: kind === "run" ? { outputs: { on: backend, y: one }, ms: 1 } : undefined };
}

describe("a GPU that fails", () => {
  let notices: string[];
  let engine: Engine;
  let fetched: number;
  beforeEach(() => {
    FakeWorker.made = [];
    FakeWorker.answer = works;
    notices = [];
    fetched = 0;
    vi.stubGlobal("Worker", FakeWorker);
    vi.stubGlobal("fetch", async () => new Response(new Uint8Array(8)));
    vi.stubGlobal("navigator", { gpu: { requestAdapter: async () => ({ info: { isFallbackAdapter: false } }) } });
    engine = new Engine("auto", {
      onProgress: () => {},
      onNotice: (text) => notices.push(text),
      onBackend: () => {},
    });
  });
  afterEach(() => {
    vi.unstubAllGlobals();
  });

  const file = async (): Promise<Uint8Array> => {
    fetched++;
    return new Uint8Array(4);
  };
  const run = () => engine.run("m/decode", { file, feeds: { x: one } });
  const backendOf = ({ outputs }: Awaited<ReturnType<typeof run>>): unknown => outputs.on;

  test("is a message, and the run that met the failure is done on WASM", async () => {
    FakeWorker.answer = (call, backend) =>
      backend === "webgpu" && call.kind === "run" ? { id: call.id, error: "out of memory" } : works(call, backend);
    expect(backendOf(await run())).toBe("wasm");
    expect(engine.backend).toBe("wasm");
    expect(notices).toEqual(["The GPU failed (out of memory): running on WASM instead."]);
    expect(FakeWorker.made.map(({ terminated }) => terminated)).toEqual([true, false]);
  });

  test("is a message without the runtime's own file and condition", async () => {
    const error =
      "failed to call OrtRun(). ERROR_CODE: 1, ERROR_MESSAGE: /src/buffer_manager.cc:643 void Download() const map.status == Success was false. Buffer was\nunmapped.\n";
    FakeWorker.answer = (call, backend) =>
      backend === "webgpu" && call.kind === "run" ? { id: call.id, error } : works(call, backend);
    await run();
    expect(notices).toEqual(["The GPU failed (Buffer was unmapped.): running on WASM instead."]);
  });

  test("by being lost in the midst of a run is one message, and the run is done on WASM", async () => {
    expect(backendOf(await run())).toBe("webgpu");
    FakeWorker.answer = (call, backend) =>
      backend === "webgpu" && call.kind === "run" ? { lost: "driver reset" } : works(call, backend);
    const results = await Promise.all([run(), run()]);
    expect(results.map(backendOf)).toEqual(["wasm", "wasm"]);
    expect(notices).toEqual(["The GPU was lost (driver reset): running on WASM instead."]);
    expect(engine.generation).toBe(1); // by which training in the page knows that its weights are gone
    expect(FakeWorker.made).toHaveLength(2);
    expect(fetched).toBe(2); // once for each backend, though two runs waited
  });

  test("between runs is a message at once, and the next run is on WASM, which is kept", async () => {
    await run();
    FakeWorker.made[0]!.say({ lost: "unplugged" });
    await vi.waitFor(() => expect(engine.backend).toBe("wasm"));
    expect(notices).toEqual(["The GPU was lost (unplugged): running on WASM instead."]);
    expect(backendOf(await run())).toBe("wasm");
  });

  test("to start is a message, and everything runs on WASM", async () => {
    FakeWorker.answer = (call, backend) =>
      backend === "webgpu" ? { id: call.id, error: "no adapter" } : works(call, backend);
    expect(backendOf(await run())).toBe("wasm");
    expect(notices).toEqual(["WebGPU did not start (no adapter): running on WASM instead."]);
  });

  test("but not one of the model itself: on WASM its error is the caller's, and nothing is tried again", async () => {
    engine.prefer("wasm");
    FakeWorker.answer = (call, backend) =>
      call.kind === "run" ? { id: call.id, error: "wrong shape" } : works(call, backend);
    await expect(run()).rejects.toThrow("wrong shape");
    expect(notices).toEqual([]);
    expect(FakeWorker.made).toHaveLength(1);
  });

  test("in a training step is a message, and WASM trains on from the last copy", async () => {
    FakeWorker.answer = (call, backend) =>
      backend === "webgpu" && call.kind === "run" ? { id: call.id, error: "out of memory" } : works(call, backend);
    const trainer = new Trainer(smallStep, { engine, seed: 1 });
    expect(await trainer.train()).toEqual({ y: 1 });
    expect(trainer.step).toBe(1);
    expect(engine.backend).toBe("wasm");
    expect(notices).toEqual(["The GPU failed (out of memory): running on WASM instead."]);
  });

  test("in a training step is the caller's error where WASM fails too", async () => {
    FakeWorker.answer = (call, backend) =>
      call.kind === "run" ? { id: call.id, error: "wrong shape" } : works(call, backend);
    await expect(new Trainer(smallStep, { engine, seed: 1 }).train()).rejects.toThrow("wrong shape");
    expect(notices).toEqual(["The GPU failed (wrong shape): running on WASM instead."]);
  });

  test("and was left for WASM is not tried again by an address that asks for it once more", async () => {
    engine.prefer("webgpu");
    await run();
    FakeWorker.made[0]!.say({ lost: "unplugged" });
    await vi.waitFor(() => expect(engine.backend).toBe("wasm"));
    engine.prefer("webgpu");
    expect(backendOf(await run())).toBe("wasm");
    engine.prefer("auto");
    expect(backendOf(await run())).toBe("webgpu");
  });
});
