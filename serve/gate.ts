/** Counts requests in flight, so that a server that stops can finish them. */
export class Gate {
  #inFlight = 0;
  #draining = false;
  #onEmpty: (() => void) | undefined;

  get draining(): boolean {
    return this.#draining;
  }

  /** Returns the function to call once when the request has ended. */
  enter(): () => void {
    this.#inFlight++;
    return () => {
      this.#inFlight--;
      if (this.#inFlight === 0) this.#onEmpty?.();
    };
  }

  /** Lets nobody in from now on; resolves to true when all are out, to false after `limitMs`. */
  drain(limitMs: number): Promise<boolean> {
    this.#draining = true;
    if (this.#inFlight === 0) return Promise.resolve(true);
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), limitMs);
      this.#onEmpty = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
  }
}
