import type { IncomingMessage } from "node:http";

/**
 * Counts exchanges at work, each from the head of its request to the end of its answer: the only place that sees all of
 * what a stopping server has to finish. The engine's queues do not tell of a body that is still being sent, of a
 * measurement on a thread, or of rows that have not been asked for yet.
 */
export class Exchanges {
  #open = 0;
  #onNone: () => void = () => undefined;

  begin(): void {
    this.#open++;
  }

  end(): void {
    this.#open--;
    if (this.#open === 0) this.#onNone();
  }

  /**
   * Waits until none is at work. No more may begin meanwhile.
   *
   * @returns false when some were left after `limitMs`
   */
  ended(limitMs: number): Promise<boolean> {
    if (this.#open === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), limitMs);
      this.#onNone = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}

/** Whether a request asks for work; all others only ask about the server, and are answered until the port is closed. */
export function asksForWork({ method, url }: IncomingMessage): boolean {
  return method === "POST" && !url!.startsWith("/v2/repository/index");
}
