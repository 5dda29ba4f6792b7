import cliProgress from "cli-progress";
import type { TrainingProgress } from "./run.ts";

export interface ProgressDisplay {
  update(progress: TrainingProgress): void;
  /** A line for people, above the bar. */
  line(text: string): void;
  stop(): void;
}

/** Seconds between two lines where there is no terminal to draw a bar on. */
const lineEvery = 5;

const shownDigits = 2;

/** A bar on a terminal, a plain line every few seconds elsewhere (a file, a pipe, a CI log). */
export function createProgress(stream: NodeJS.WriteStream, pairsPerStep: number): ProgressDisplay {
  return stream.isTTY ? createBar(stream, pairsPerStep) : createLines(stream, pairsPerStep);
}

function createBar(stream: NodeJS.WriteStream, pairsPerStep: number): ProgressDisplay {
  const bar = new cliProgress.SingleBar({
    stream,
    format: "{phase} {bar} {percentage}% | step {value}/{total} | {terms} | {rate} | {eta_formatted} left",
    barsize: 24,
    hideCursor: true,
    etaBuffer: 50,
    gracefulExit: false, // Ctrl-C first saves a checkpoint
  });
  const pace = createPace(pairsPerStep);
  let started = false;
  return {
    update(progress) {
      const payload = { phase: progress.phase, terms: termsOf(progress), rate: pace(progress.step) };
      if (!started) bar.start(progress.steps, progress.step, payload);
      else bar.update(progress.step, payload);
      started = true;
    },
    line(text) {
      if (started) stream.write("\r\x1b[K");
      stream.write(`${text}\n`);
      if (started) bar.render();
    },
    stop: () => bar.stop(),
  };
}

function createLines(stream: NodeJS.WriteStream, pairsPerStep: number): ProgressDisplay {
  const pace = createPace(pairsPerStep);
  let written = 0;
  return {
    update(progress) {
      const now = performance.now() / 1000;
      const rate = pace(progress.step);
      if (now - written < lineEvery && progress.step !== progress.steps) return;
      written = now;
      const { phase, step, steps } = progress;
      stream.write(`${phase}: step ${step}/${steps}, ${termsOf(progress)}, ${rate}\n`);
    },
    line: (text) => void stream.write(`${text}\n`),
    stop() {},
  };
}

function termsOf({ terms, minimised }: TrainingProgress): string {
  return minimised.map((name) => `${name} ${terms[name]!.toFixed(shownDigits)} nats`).join(", ");
}

/** Pairs a second since the first step shown. */
function createPace(pairsPerStep: number): (step: number) => string {
  let first: { step: number; at: number } | undefined;
  return (step) => {
    const at = performance.now() / 1000;
    first ??= { step, at };
    if (step === first.step) return "starting";
    return `${((pairsPerStep * (step - first.step)) / (at - first.at)).toFixed(0)} pairs/s`;
  };
}
