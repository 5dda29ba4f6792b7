// Installs the locked dependencies when they are missing. No install script of any package runs
// (onnxruntime-node's would download CUDA libraries; CPU and WebGPU are in the package itself).
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));

export function installIfMissing() {
  const lock = JSON.parse(readFileSync(`${root}/package-lock.json`, "utf8"));
  const missing = Object.keys(lock.packages).some(
    (path) =>
      path !== "" && !lock.packages[path].optional && !lock.packages[path].peer && !existsSync(`${root}/${path}`),
  );
  if (!missing) return;
  console.log("Installing the locked dependencies (npm ci --ignore-scripts) ...");
  const npm = process.platform === "win32" ? "npm.cmd" : "npm";
  const result = spawnSync(npm, ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: root, stdio: "inherit" });
  if (result.status !== 0) process.exit(result.status ?? 1);
}
