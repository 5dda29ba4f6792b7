import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** The compiled program, as a user runs it. */
const cli = fileURLToPath(new URL("../../../dist/cli.js", import.meta.url));

export function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "pipe", "pipe"] });
}

export interface Ended {
  /** The exit code, or the signal that ended it. */
  readonly code: number | NodeJS.Signals;
  readonly stdout: string;
  readonly stderr: string;
}

export async function ended(child: ChildProcess): Promise<Ended> {
  const [stdout, stderr] = [child.stdout!, child.stderr!].map((stream) => {
    const pieces: Buffer[] = [];
    stream.on("data", (piece: Buffer) => pieces.push(piece));
    return pieces;
  });
  return new Promise((resolve) => {
    child.on("close", (code, signal) => {
      const [out, err] = [stdout!, stderr!].map((pieces) => Buffer.concat(pieces).toString("utf8"));
      resolve({ code: code ?? signal!, stdout: out!, stderr: err! });
    });
  });
}

export const run = (...args: readonly string[]): Promise<Ended> => ended(start(...args));
