import { expect, test } from "vitest";
import { createSession } from "../../runtime/create-session.ts";
import { parseDevice, startDevice } from "../../runtime/devices.ts";
import { affine } from "../tiny-models.ts";

// This file runs in a process of its own: it takes the Vulkan drivers away before the first adapter is requested.
process.env.VK_ICD_FILENAMES = "/nowhere/icd.json";

test.skipIf(process.platform !== "linux")(
  "WebGPU without an adapter is a FailureError that says what to do, each time, and nothing runs on the CPU instead",
  async () => {
    for (const open of [() => startDevice("webgpu"), () => createSession(affine, { device: "webgpu" })]) {
      await expect(open()).rejects.toMatchObject({
        name: "FailureError",
        code: "no_device",
        message: expect.stringMatching(
          /^Cannot start device webgpu: Failed to get a WebGPU adapter: [^\n]*; it needs a GPU driver, [^\n]*--device cpu$/,
        ),
      });
    }
  },
);

test("parseDevice() takes the three devices and names the nearest for a typing error", () => {
  expect(["cpu", "webgpu", "cuda"].map(parseDevice)).toEqual(["cpu", "webgpu", "cuda"]);
  expect(() => parseDevice("webgup")).toThrow(
    'Cannot use device "webgup": it must be cpu, webgpu, cuda, did you mean "webgpu"?',
  );
});

test("telemetry is off before the native library loads", async () => {
  delete process.env.ORT_DISABLE_TELEMETRY;
  // A fresh copy of the module: the file above has loaded the library already.
  const { loadOnnxRuntime } = await import("../../runtime/onnxruntime.ts?fresh" as string);
  const loading = loadOnnxRuntime();
  expect(process.env.ORT_DISABLE_TELEMETRY).toBe("1");
  await loading;
});
