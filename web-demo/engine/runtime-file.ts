import type { Backend } from "./messages.ts";

/** Files of ONNX Runtime Web, beside the page in `ort/`. The GPU's is twice as large, so it is fetched where it runs only. */
export const runtimeFiles: Readonly<Record<Backend, string>> = {
  wasm: "ort-wasm-simd-threaded.wasm",
  webgpu: "ort-wasm-simd-threaded.asyncify.wasm",
};
