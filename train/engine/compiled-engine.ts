import { createSession } from "../../runtime/create-session.ts";
import type { Device, DeviceTensor, Feeds as SessionFeeds } from "../../runtime/session.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { CompiledStep } from "./compile-step.ts";
import type { Engine } from "./engine.ts";
import { requireFit } from "./require-fit.ts";

export interface CompiledOptions {
  readonly device: Device;
  /** Threads inside an operator; undefined: all cores. */
  readonly threads?: number | undefined;
}

/**
 * A traced step on ONNX Runtime. The state tensors that a step returns are the inputs of the next one as they are: on
 * the CPU no value is copied, on WebGPU none leaves the GPU until `readState`.
 *
 * `step` blocks the thread it is called on; `startThreadedEngine` moves it to another one.
 */
export async function createCompiledEngine(step: CompiledStep, options: CompiledOptions): Promise<Engine> {
  const { device, threads } = options;
  const changing = step.variables.filter(({ output }) => output !== undefined);
  const session = await createSession(step.model, {
    device,
    keepOnDevice: changing.map(({ output }) => output!),
    ...(threads === undefined ? {} : { threads }),
  });
  const declared = new Set(session.inputNames);
  const state = new Map<string, HostTensor | DeviceTensor>(step.initial);

  return {
    device,
    async step(feeds) {
      const inputs: Record<string, HostTensor | DeviceTensor> = {};
      // An input that no term depends on has no use, and the writer may have left it out.
      for (const [name, feed] of Object.entries(feeds)) if (declared.has(name)) inputs[name] = feed;
      for (const { name, input } of step.variables) if (input !== undefined) inputs[input] = state.get(name)!;
      const { host, kept } = await session.runKeeping(inputs as SessionFeeds);
      for (const { name, output } of changing) replace(state, name, kept[output!]!);
      return Object.fromEntries(step.terms.map((name) => [name, Number(host[name]!.data[0])]));
    },
    async readState() {
      const values = new Map<string, HostTensor>();
      for (const [name, value] of state) values.set(name, await copyToHost(value)); // one at a time: WebGPU takes turns
      return values;
    },
    async writeState(values) {
      for (const [name, value] of values) {
        requireFit(name, value, state.get(name));
        replace(state, name, { ...value, data: value.data.slice() });
      }
    },
    async dispose() {
      for (const value of state.values()) free(value);
      state.clear();
      await session.release();
    },
  };
}

/** Frees the old value at once: GPU memory is not the garbage collector's, and would grow by the model every step. */
function replace(state: Map<string, HostTensor | DeviceTensor>, name: string, next: HostTensor | DeviceTensor): void {
  const old = state.get(name);
  state.set(name, next);
  if (old !== undefined) free(old);
}

function free(value: HostTensor | DeviceTensor): void {
  if (isOnDevice(value)) value.dispose();
}

function copyToHost(value: HostTensor | DeviceTensor): Promise<HostTensor> {
  return isOnDevice(value) ? value.read() : Promise.resolve({ ...value, data: value.data.slice() });
}

function isOnDevice(value: HostTensor | DeviceTensor): value is DeviceTensor {
  return "dispose" in value;
}
