import type { SweepEvent } from "./run-sweep.ts";

export interface SweepProgress {
  tell(event: SweepEvent): void;
  /** A line for people. */
  line(text: string): void;
  stop(): void;
}

/** One line that is written over on a terminal, and a line for each cell that ends, there and elsewhere. */
export function createSweepProgress(stream: NodeJS.WriteStream, quiet: boolean): SweepProgress {
  const running = new Map<string, string>();
  let [cells, ended, shown] = [0, 0, false];
  const clear = (): void => {
    if (shown) stream.write("\r\x1b[K");
    shown = false;
  };
  const draw = (): void => {
    if (quiet || !stream.isTTY || running.size === 0) return;
    const text = `${ended} of ${cells} cells | ${[...running.values()].join(" | ")}`;
    stream.write(`\r\x1b[K${text.slice(0, (stream.columns ?? 80) - 1)}`);
    shown = true;
  };
  const line = (text: string): void => {
    if (quiet) return;
    clear();
    stream.write(`${text}\n`);
    draw();
  };
  return {
    line,
    tell(event) {
      if (event.kind === "planned") {
        cells = event.cells;
        ended = event.alreadyFinished;
        line(`${cells} cells, ${ended} finished before`);
      } else if (event.kind === "step") {
        const { name, recipe } = event.cell;
        running.set(name, `${name} ${event.step}/${recipe.training.steps}`);
        draw();
      } else {
        running.delete(event.cell.name);
        ended++;
        const { status, error, seconds } = event.line;
        const how = status === "finished" ? `${seconds.toFixed(0)} s` : `FAILED: ${error}`;
        line(`[${ended}/${cells}] ${event.cell.name}: ${how}`);
      }
    },
    stop: clear,
  };
}
