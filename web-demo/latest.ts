/**
 * Runs `work` for the newest request only: while one is at work, those that come are replaced by the last of them.
 * So a drag never queues up frames, and its end is always shown. `busy` is marked so meanwhile.
 */
export function latest(
  work: () => Promise<void>,
  { busy, onError }: { busy: Element; onError: (error: unknown) => void },
): () => Promise<void> {
  let running: Promise<void> | undefined;
  let again = false;
  async function loop(): Promise<void> {
    busy.setAttribute("aria-busy", "true");
    do {
      again = false;
      try {
        await work();
      } catch (error) {
        onError(error);
      }
    } while (again);
    running = undefined;
    busy.removeAttribute("aria-busy");
  }
  return () => {
    if (running === undefined) running = loop();
    else again = true;
    return running;
  };
}
