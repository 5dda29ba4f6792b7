import cliProgress from "cli-progress";

export interface RowProgress {
  /** @param done rows of earlier runs, which do not count for the speed */
  start(total: number, done: number): void;
  add(rows: number): void;
  line(text: string): void;
  stop(): void;
}

/** Seconds between two lines where there is no terminal to draw a bar on. */
const lineEvery = 5;

export const noProgress: RowProgress = { start() {}, add() {}, line() {}, stop() {} };

/** A bar on a terminal, a plain line every few seconds elsewhere (a file, a pipe, a CI log). */
export function createRowProgress(stream: NodeJS.WriteStream): RowProgress {
  const bar = stream.isTTY
    ? new cliProgress.SingleBar({
        stream,
        format: "{bar} {percentage}% | {value}/{total} rows | {rate} rows/s | {left} left",
        barsize: 24,
        hideCursor: true,
        gracefulExit: false, // Ctrl-C first ends the part at hand
      })
    : undefined;
  let [total, done, atStart, began, shown] = [0, 0, 0, 0, 0];
  const payload = (): { rate: string; left: string } => {
    const seconds = (performance.now() - began) / 1000;
    const rate = (done - atStart) / seconds;
    return rate > 0 ? { rate: rate.toFixed(0), left: duration((total - done) / rate) } : { rate: "-", left: "-" };
  };
  return {
    start(rows, before) {
      [total, done, atStart, began] = [rows, before, before, performance.now()];
      bar?.start(rows, before, payload());
    },
    add(rows) {
      done += rows;
      if (bar !== undefined) return bar.update(done, payload());
      const now = performance.now() / 1000;
      if (now - shown < lineEvery) return;
      shown = now;
      const { rate, left } = payload();
      stream.write(`${done}/${total} rows, ${rate} rows/s, ${left} left\n`);
    },
    line(text) {
      if (bar?.isActive === true) stream.write("\r\x1b[K");
      stream.write(`${text}\n`);
    },
    stop: () => bar?.stop(),
  };
}

/** `45 s`, `3 min`, `1 h 20 min`. */
function duration(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 90 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
