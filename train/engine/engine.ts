import type { HostTensor } from "../../schemas/tensor.ts";

export type Feeds = Readonly<Record<string, HostTensor>>;

/** Variables by name: networks and optimiser slots. */
export type State = ReadonlyMap<string, HostTensor>;

/** Runs the steps of one phase and owns its state. One call at a time. */
export interface Engine {
  /** Where the step really runs: `cpu`, `webgpu`, `cuda`, or `tfjs cpu`, `tfjs tensorflow` for the eager engine. */
  readonly device: string;
  /** @returns every loss term by name, nats per example unless its name says otherwise; taken before the update */
  step(feeds: Feeds): Promise<Record<string, number>>;
  /** A copy of all variables. */
  readState(): Promise<Map<string, HostTensor>>;
  /** Sets the named variables; the others stay. @throws FailureError for an unknown name or another shape */
  writeState(state: State): Promise<void>;
  dispose(): Promise<void>;
}
