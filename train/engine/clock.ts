/** Training time of a run in seconds, over all its sessions; preparing and compiling do not count. */
export class Clock {
  #past: number;
  #since: number | undefined;
  #last: { step: number; seconds: number } | undefined;

  constructor(past: number) {
    this.#past = past;
  }

  get seconds(): number {
    return this.#past + (this.#since === undefined ? 0 : (performance.now() - this.#since) / 1000);
  }

  /** @param step steps done so far */
  start(step: number): void {
    this.#since ??= performance.now();
    this.#last ??= { step, seconds: this.seconds };
  }

  stop(): void {
    this.#past = this.seconds;
    this.#since = undefined;
  }

  /** Steps a second since `start` or the last call. */
  stepsPerSecond(step: number): number {
    const { seconds } = this;
    const last = this.#last ?? { step, seconds };
    this.#last = { step, seconds };
    return seconds > last.seconds ? (step - last.step) / (seconds - last.seconds) : 0;
  }
}
