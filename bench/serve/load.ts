import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

export interface LoadOrder {
  readonly port: number;
  /** The bytes of one whole HTTP request. */
  readonly request: Uint8Array;
  /** Connections. */
  readonly concurrency: number;
  readonly seconds: number;
  /** Absent: each connection sends as soon as it is answered. */
  readonly ratePerS?: number;
}

export interface LoadResult {
  readonly answers: number;
  /** Requests without an answer of status 200. */
  readonly failures: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** Latencies, ms. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  /** Head and body of the first good answer. */
  readonly first: Uint8Array | undefined;
}

/** Load from a process of its own. */
export class LoadProcess {
  readonly #child: ChildProcess;

  constructor() {
    const entry = fileURLToPath(new URL("load-main.js", import.meta.url));
    this.#child = fork(entry, { serialization: "advanced", execArgv: [] });
  }

  /** @throws Error when a request was not answered with 200 */
  async run(order: LoadOrder): Promise<LoadResult> {
    this.#child.send(order);
    const [result] = (await once(this.#child, "message")) as [LoadResult];
    if (result.failures > 0 && order.ratePerS === undefined) {
      throw new Error(`The server must answer every request with 200, got ${result.failures} failures`);
    }
    return result;
  }

  close(): void {
    this.#child.disconnect();
  }
}

/** A request as it goes over the wire. */
export function httpRequest(path: string, headers: Readonly<Record<string, string>>, body: Uint8Array): Uint8Array {
  const lines = [`POST ${path} HTTP/1.1`, "host: 127.0.0.1", `content-length: ${body.byteLength}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  return Buffer.concat([Buffer.from(`${lines.join("\r\n")}\r\n\r\n`), body]);
}
