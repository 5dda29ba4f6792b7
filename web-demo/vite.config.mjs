import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";

/**
 * ONNX Runtime's bundles name their .wasm file by `new URL(..., import.meta.url)`, of which Vite would make an asset
 * of 14 or 27 MB a copy. The page fetches the file itself, to show how far it is (engine/runtime-file.ts), and hands
 * over the bytes: the name is never used.
 */
function runtimeIsFetchedByPage() {
  return {
    name: "runtime-is-fetched-by-page",
    enforce: "pre",
    transform(code, id) {
      if (!/onnxruntime-web[\\/]dist[\\/]/.test(id)) return undefined;
      return code.replaceAll(/new URL\("(ort-wasm[^"]*\.wasm)",import\.meta\.url\)/g, 'new URL("file:///$1")');
    },
  };
}

export default defineConfig({
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./", // any folder of any static host
  plugins: [runtimeIsFetchedByPage()],
  worker: { format: "es", plugins: () => [runtimeIsFetchedByPage()] },
  build: { outDir: "dist", emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 800 },
  optimizeDeps: { exclude: ["onnxruntime-web"] },
});
