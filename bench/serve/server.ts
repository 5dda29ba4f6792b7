import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { ServeConfig } from "../../schemas/serve-config.ts";

/** `cominfo serve` as a user starts it, or a server without anything behind it. */
export class ServerProcess {
  readonly port: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, port: number) {
    this.#child = child;
    this.port = port;
  }

  static async start(folder: string, config: ServeConfig = {}, flags: readonly string[] = []): Promise<ServerProcess> {
    const cli = fileURLToPath(new URL("../../cli.js", import.meta.url));
    const file = path.join(tmpdir(), `cominfo-bench-serve-${process.pid}.json`);
    writeFileSync(file, JSON.stringify(config));
    return ServerProcess.#launch([cli, "serve", folder, "--port", "0", "--config", file, ...flags]);
  }

  /** What Node itself costs: `bare-main.ts`. */
  static bare(): Promise<ServerProcess> {
    return ServerProcess.#launch([fileURLToPath(new URL("bare-main.js", import.meta.url))]);
  }

  static async #launch(args: readonly string[]): Promise<ServerProcess> {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    const port = await new Promise<number>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        const found = /http:\/\/127\.0\.0\.1:(\d+)/.exec(text);
        if (found !== null) resolve(Number(found[1]));
      });
      child.once("exit", (code) => reject(new Error(`The server must start, got exit code ${code}: ${text}`)));
    });
    return new ServerProcess(child, port);
  }

  /** CPU time so far, of the process that speaks HTTP and of its workers; undefined where the system does not tell. */
  cpuSeconds(): { server: number; workers: number } | undefined {
    try {
      const workers = this.workerPids().reduce((sum, pid) => sum + cpuOf(pid), 0);
      return { server: cpuOf(this.#child.pid!), workers };
    } catch {
      return undefined;
    }
  }

  /** Linux only. */
  workerPids(): number[] {
    const { pid } = this.#child;
    return readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number);
  }

  /** Resident memory of the process that speaks HTTP. Linux only. */
  memoryMiB(): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, "utf8");
    return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024;
  }

  async stop(): Promise<void> {
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const [code] = await exit;
    if (code !== 0) throw new Error(`The server must end with exit code 0, got ${code}`);
  }
}

/** Fields 14 and 15 of /proc/PID/stat: user and system time in ticks of 10 ms. */
function cpuOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}
