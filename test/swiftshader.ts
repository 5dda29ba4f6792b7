import { existsSync } from "node:fs";
import { constants } from "node:os";
import path from "node:path";
import { createSession } from "../runtime/create-session.ts";
import { identityModel } from "../runtime/small-models.ts";

/**
 * WebGPU without a GPU: SwiftShader, the software Vulkan driver that Debian's `chromium` package carries.
 *
 * Call it in a test file before its first WebGPU session:
 *
 *   const { skipReason } = await useSwiftshader();
 *   test.skipIf(skipReason !== undefined)("... on WebGPU", ...);
 *
 * A real adapter that is already there is left alone when `COMINFO_TEST_REAL_GPU` is set.
 *
 * @returns why WebGPU tests cannot run here, or undefined when they can
 * @throws Error instead of a reason when `CI` is set: there a missing adapter is a failure, not a skip
 */
export async function useSwiftshader(): Promise<{ skipReason: string | undefined }> {
  const skipReason = installDriver() ?? (await adapterFault());
  if (skipReason === undefined) return { skipReason };
  if (process.env.CI) throw new Error(`Cannot test WebGPU: CI must have an adapter, got none (${skipReason})`);
  console.warn(`WebGPU tests are skipped: ${skipReason}`);
  return { skipReason };
}

const folders = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"];

/** Points the Vulkan loader to SwiftShader; returns why it cannot. */
function installDriver(): string | undefined {
  if (process.env.COMINFO_TEST_REAL_GPU) return undefined;
  if (process.platform !== "linux") return `SwiftShader is used on Linux only, this is ${process.platform}`;
  const folder = folders.find((candidate) => existsSync(path.join(candidate, "vk_swiftshader_icd.json")));
  if (folder === undefined) {
    return `no vk_swiftshader_icd.json in ${folders.join(", ")}; Debian: apt install chromium`;
  }
  // Node passes an assignment to setenv(), and the loader reads the variable when the first adapter is requested.
  process.env.VK_ICD_FILENAMES = path.join(folder, "vk_swiftshader_icd.json");
  process.env.LD_LIBRARY_PATH = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(":"); // for child processes
  preload(path.join(folder, "libvulkan.so.1"));
  return undefined;
}

/**
 * Chromium brings its own Vulkan loader in its own folder, where nobody looks for it. Once loaded under its soname it
 * answers the later dlopen("libvulkan.so.1") of the WebGPU provider.
 */
function preload(library: string): void {
  if (!existsSync(library)) return;
  const nodelete = 0x1000; // RTLD_NODELETE of glibc: stays loaded though Node closes what is not an addon
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_LAZY | nodelete);
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes("did not self-register")) throw error;
  }
}

async function adapterFault(): Promise<string | undefined> {
  try {
    const session = await createSession(identityModel("float32"), { device: "webgpu", threads: 1 });
    await session.release();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
