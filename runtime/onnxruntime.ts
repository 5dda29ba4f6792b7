/** ONNX Runtime's native library, loaded on first use. */

type OnnxRuntime = typeof import("onnxruntime-node");

let loading: Promise<OnnxRuntime> | undefined;

export function loadOnnxRuntime(): Promise<OnnxRuntime> {
  loading ??= load();
  return loading;
}

async function load(): Promise<OnnxRuntime> {
  // Official native builds since 1.29 send telemetry unless this is set; the library reads it once, while it loads.
  process.env.ORT_DISABLE_TELEMETRY = "1";
  const onnxruntime = await import("onnxruntime-node");
  // Errors reach the caller as exceptions; the library would print each of them to stderr as well.
  onnxruntime.env.logLevel = "fatal";
  return onnxruntime;
}
