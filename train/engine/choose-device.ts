import { type ChildProcess, fork } from "node:child_process";
import { builtFile } from "../../files/built-file.ts";
import type { Device } from "../../runtime/session.ts";
import type { CompiledStep } from "./compile-step.ts";
import type { CompiledOptions } from "./compiled-engine.ts";
import type { Feeds } from "./engine.ts";

export type TrialRequest =
  | { readonly kind: "start"; readonly device: Device }
  | { readonly kind: "open"; readonly step: CompiledStep; readonly options: CompiledOptions }
  | { readonly kind: "time"; readonly feeds: Feeds };

export type TrialAnswer =
  | { readonly kind: "ready" }
  | { readonly kind: "timed"; readonly secondsPerStep: number }
  | { readonly kind: "failed"; readonly message: string };

export interface ChoiceOptions {
  /** The real step, as it would be compiled for a device. */
  readonly compileFor: (device: Device) => CompiledStep;
  readonly feeds: Feeds;
  readonly threads?: number | undefined;
  readonly log: (message: string) => void;
  readonly open?: (options: CompiledOptions, compile: () => CompiledStep) => Promise<Trial | string>;
}

/** A step that has opened on a device. */
export interface Trial {
  /** Seconds of the fastest of a few steps, or why there is none. */
  time(feeds: Feeds, deadlineSeconds: number): Promise<number | string>;
  close(): void;
}

/** A GPU that is not this many times faster than the CPU may be a program that runs on that CPU. */
const suspiciousSpeedup = 3;

/** A driver that has not started by then hangs. */
const startSeconds = 30;
const openSeconds = 120;

/** Seconds for four steps on the CPU. */
const cpuPatience = 600;

/**
 * The fastest device for this very step, found by timing a few steps of it. Each trial is a process of its own: a
 * driver that crashes or a software GPU that takes minutes cannot take the run with it. Says what was found, and names
 * what may be a software GPU (ONNX Runtime does not tell the adapter's name).
 */
export async function chooseDevice(options: ChoiceOptions): Promise<Device> {
  const { compileFor, threads, log, open = openTrial } = options;
  const trials: { device: Device; trial: Trial }[] = [];
  try {
    for (const device of ["webgpu", "cuda", "cpu"] as const) {
      if (device === "cpu" && trials.length === 0) {
        log("Device: cpu (no GPU starts here; --device webgpu or cuda says why)");
        return "cpu";
      }
      const trial = await open({ device, threads }, () => compileFor(device));
      if (typeof trial !== "string") trials.push({ device, trial });
      else if (device === "cpu") throw new Error(`Cannot time the step on cpu: ${trial}`);
    }
    return await fastest(trials.reverse(), options);
  } finally {
    for (const { trial } of trials) trial.close();
  }
}

/** @param trials the CPU's first: its pace is the measure of the others' patience */
async function fastest(
  trials: readonly { device: Device; trial: Trial }[],
  { feeds, log }: ChoiceOptions,
): Promise<Device> {
  const found: string[] = [];
  let best: { device: Device; seconds: number } | undefined;
  let cpuSeconds = 0;
  for (const { device, trial } of trials) {
    // Four steps at the CPU's pace, and half a minute for the shaders.
    const seconds = await trial.time(feeds, device === "cpu" ? cpuPatience : 30 + 4 * cpuSeconds);
    if (typeof seconds === "string") {
      found.push(`${device} ${seconds}`);
      continue;
    }
    if (device === "cpu") cpuSeconds = seconds;
    const software = device === "webgpu" ? softwareGpu(cpuSeconds / seconds) : "";
    found.push(`${device} ${show(seconds)}${software}`);
    if (best === undefined || seconds < best.seconds) best = { device, seconds };
  }
  if (best === undefined) throw new Error(`Cannot choose a device: none has done a step (${found.join("; ")})`);
  log(`Device: ${best.device}, the fastest on this step (${found.join("; ")})`);
  return best.device;
}

function softwareGpu(speedup: number): string {
  const driver = process.env.VK_DRIVER_FILES ?? process.env.VK_ICD_FILENAMES ?? "";
  if (/swiftshader|lvp|lavapipe|llvmpipe/i.test(driver)) return ", a software GPU";
  return speedup < suspiciousSpeedup ? ", perhaps a software GPU" : "";
}

function show(seconds: number): string {
  return seconds >= 1 ? `${seconds.toFixed(2)} s a step` : `${(1000 * seconds).toFixed(1)} ms a step`;
}

/**
 * @param compile called only if the device starts: tracing takes seconds
 * @returns why the device does not start, as text
 */
async function openTrial(options: CompiledOptions, compile: () => CompiledStep): Promise<Trial | string> {
  // stderr is dropped: drivers print warnings there about devices that nobody asked for by name.
  const child = fork(builtFile("train/engine/device-trial"), {
    serialization: "advanced",
    stdio: ["ignore", "ignore", "ignore", "ipc"],
  });
  const started = await ask(child, { kind: "start", device: options.device }, startSeconds);
  const opened =
    started.kind === "ready" ? await ask(child, { kind: "open", step: compile(), options }, openSeconds) : started;
  if (opened.kind !== "ready") {
    child.kill("SIGKILL");
    return opened.kind === "failed" ? opened.message : "it gave no answer";
  }
  return {
    async time(feeds, deadlineSeconds) {
      const answer = await ask(child, { kind: "time", feeds }, deadlineSeconds);
      if (answer.kind === "timed") return answer.secondsPerStep;
      return answer.kind === "failed" ? answer.message : "it gave no answer";
    },
    close: () => void child.kill("SIGKILL"),
  };
}

function ask(child: ChildProcess, request: TrialRequest, deadlineSeconds: number): Promise<TrialAnswer> {
  return new Promise((resolve) => {
    const answer = (value: TrialAnswer): void => {
      clearTimeout(timer);
      child.off("message", answer);
      child.off("exit", died);
      resolve(value);
    };
    const died = (): void => answer({ kind: "failed", message: "its process ended" });
    const late = (): void =>
      answer({ kind: "failed", message: `slower than ${deadlineSeconds.toFixed(0)} s for 4 steps` });
    const timer = setTimeout(late, 1000 * deadlineSeconds);
    child.on("message", answer);
    child.on("exit", died);
    child.send(request, (error) => {
      if (error !== null) died();
    });
  });
}
