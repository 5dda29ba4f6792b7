const samePressMilliseconds = 1000;

/**
 * Does `work` with a signal that the first Ctrl-C aborts, which `onInterrupt` tells the person; a second one ends the
 * program at once.
 */
export async function untilInterrupted<T>(
  work: (signal: AbortSignal) => Promise<T>,
  onInterrupt: () => void,
): Promise<T> {
  const controller = new AbortController();
  let first = 0;
  const interrupt = (): void => {
    if (controller.signal.aborted) {
      // One key press arrives twice where npm or npx stands between: from the terminal, and forwarded.
      if (performance.now() - first < samePressMilliseconds) return;
      process.exit(130);
    }
    first = performance.now();
    controller.abort();
    onInterrupt();
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    return await work(controller.signal);
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}
