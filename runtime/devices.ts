import { createRequire } from "node:module";
import path from "node:path";
import { FailureError, UsageError } from "../schemas/errors.ts";
import { didYouMean } from "../schemas/nearest.ts";
import { loadOnnxRuntime } from "./onnxruntime.ts";
import type { Device } from "./session.ts";
import { probeModel } from "./small-models.ts";

export const devices: readonly Device[] = ["cpu", "webgpu", "cuda"];

/** @throws UsageError with the nearest known device */
export function parseDevice(text: string): Device {
  const found = devices.find((device) => device === text);
  if (found !== undefined) return found;
  throw new UsageError(`Cannot use device "${text}": it must be ${devices.join(", ")}${didYouMean(text, devices)}`, {
    code: "unknown_device",
  });
}

const probes = new Map<Device, Promise<void>>();

/**
 * Makes sure that `device` computes in this process. ONNX Runtime always puts its CPU provider behind the one that is
 * asked for and moves nodes there without a word, so a session that opens proves nothing. The probe is a matrix
 * product in a session with `session.disable_cpu_ep_fallback`: ONNX Runtime refuses to open it unless every node is
 * assigned to the device, and its result is compared with the known one. Runs once per process and device.
 *
 * @throws FailureError that says which device, why, and what to do
 */
export function startDevice(device: Device): Promise<void> {
  if (device === "cpu") return Promise.resolve();
  let probing = probes.get(device);
  if (probing === undefined) {
    probing = probe(device);
    probes.set(device, probing);
  }
  return probing;
}

async function probe(device: Exclude<Device, "cpu">): Promise<void> {
  const { InferenceSession, Tensor } = await loadOnnxRuntime();
  let product: string;
  try {
    const session = await InferenceSession.create(probeModel(), {
      executionProviders: [device],
      logSeverityLevel: 4,
      extra: { session: { disable_cpu_ep_fallback: "1" } },
    });
    const x = new Tensor("float32", Float32Array.of(1, 2, 3, 4), [2, 2]);
    const y = new Tensor("float32", Float32Array.of(5, 6, 7, 8), [2, 2]);
    const { z } = await session.run({ x, y });
    product = String(z?.data);
    await session.release();
  } catch (cause) {
    throw new FailureError(`Cannot start device ${device}: ${reason(cause)}; ${advice(device)}`, {
      code: "no_device",
      cause,
    });
  }
  if (product !== "19,22,43,50") {
    throw new FailureError(`Cannot use device ${device}: its probe must give 19,22,43,50, got ${product}`, {
      code: "no_device",
    });
  }
}

/** The telling end of a native message: without source paths, in one line. */
export function reason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message
    .replaceAll(/\s+/g, " ")
    .replace(/^.* was false\. /, "")
    .replaceAll(/\/onnxruntime_src\/\S+ /g, "")
    .trim();
}

function advice(device: Exclude<Device, "cpu">): string {
  if (device === "webgpu") {
    return "it needs a GPU driver, on Linux with the Vulkan loader (Debian: apt install libvulkan1); or use --device cpu";
  }
  if (process.platform !== "linux" || process.arch !== "x64") {
    return "its libraries exist for linux-x64 only; use --device webgpu or cpu";
  }
  const main = createRequire(import.meta.url).resolve("onnxruntime-node");
  const script = path.relative(process.cwd(), path.join(path.dirname(main), "..", "script", "install.js"));
  return (
    `it needs CUDA 12 and cuDNN 9, and libraries that this command downloads from NuGet: ` +
    `node ${script} --onnxruntime-node-install=cuda12; or use --device webgpu or cpu`
  );
}
