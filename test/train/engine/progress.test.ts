import { Writable } from "node:stream";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createProgress } from "../../../train/engine/progress.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["performance", "Date"] }));
afterEach(() => void vi.useRealTimers());

/** A stream that remembers; with `isTTY` cli-progress takes it for a terminal. */
function memory(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  let text = "";
  const stream = new Writable({
    write(part, _encoding, done) {
      text += String(part);
      done();
    },
  });
  return { stream: Object.assign(stream, { isTTY, columns: 200 }) as unknown as NodeJS.WriteStream, text: () => text };
}

const at = (step: number) => ({
  step,
  steps: 100,
  phase: "joint",
  terms: { loss: 100 / step, rate: 3 },
  minimised: ["loss"],
});

test("where there is no terminal, a plain line every five seconds and one at the end", () => {
  const { stream, text } = memory(false);
  const progress = createProgress(stream, 8);
  for (let step = 1; step <= 100; step++) {
    vi.advanceTimersByTime(100);
    progress.update(at(step));
  }
  progress.line("Device: cpu");
  progress.stop();
  const lines = text().trim().split("\n");
  expect(lines).toEqual([
    "joint: step 50/100, loss 2.00 nats, 80 pairs/s",
    "joint: step 100/100, loss 1.00 nats, 80 pairs/s",
    "Device: cpu",
  ]);
});

test("on a terminal, a bar with step, loss and pace; lines stand above it", () => {
  const { stream, text } = memory(true);
  const progress = createProgress(stream, 8);
  progress.line("Device: cpu");
  for (let step = 1; step <= 100; step++) {
    vi.advanceTimersByTime(200);
    progress.update(at(step));
  }
  progress.stop();
  expect(text()).toMatch(/^Device: cpu\n/);
  expect(text()).toContain("100% | step 100/100 | loss 1.00 nats | 40 pairs/s");
});
