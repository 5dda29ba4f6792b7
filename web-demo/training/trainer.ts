import type { HostTensor } from "../../schemas/tensor.ts";
import type { Engine } from "../engine/engine.ts";
import type { Feeds } from "../engine/messages.ts";
import type { StepFiles } from "./step-files.ts";
import { stepFeeds } from "./step-feeds.ts";

/** Loss terms by name, nats per example. */
export type Terms = Readonly<Record<string, number>>;

/** Steps between copies of the state that a lost GPU cannot take away. */
const stepsBetweenCopies = 100;

const slot = (name: string): string => `training/${name}`;

/** Trains in the worker: the state stays there, on the GPU where it runs on one, from step to step. */
export class Trainer {
  readonly files: StepFiles;
  readonly seed: number;
  step = 0;
  readonly #engine: Engine;
  readonly #opened = new Set<string>();
  #generation = -1;
  #copy: { readonly step: number; readonly state: ReadonlyMap<string, HostTensor> };

  constructor(files: StepFiles, { engine, seed }: { engine: Engine; seed: number }) {
    this.files = files;
    this.seed = seed;
    this.#engine = engine;
    this.#copy = { step: 0, state: files.state };
  }

  /** One step. After the worker was lost it goes on from the last copy, so `step` may fall back. */
  train(): Promise<Terms> {
    return this.#whenReady(async () => {
      const { state } = this.files.about.step;
      const { outputs } = await this.#engine.runKept("training step", {
        feeds: stepFeeds(this.files, { seed: this.seed, step: this.step + 1 }),
        load: record(state.flatMap(({ name, input }) => (input === undefined ? [] : [[input, slot(name)]]))),
        store: record(state.flatMap(({ name, output }) => (output === undefined ? [] : [[output, slot(name)]]))),
      });
      this.step++;
      if (this.step % stepsBetweenCopies === 0) this.#copy = { step: this.step, state: await this.#read() };
      return Object.fromEntries(this.files.about.step.terms.map((name) => [name, Number(outputs[name]!.data[0])]));
    });
  }

  /** Runs a task with the weights as they are now. */
  run(task: string, feeds: Feeds): Promise<Record<string, HostTensor>> {
    return this.#whenReady(async () => {
      if (!this.#opened.has(task)) {
        await this.#engine.openKept(`training/${task}`, { model: await this.files.task(task), keep: [] });
        this.#opened.add(task);
      }
      const load = record(this.files.about.tasks[task]!.state.map((name) => [name, slot(name)]));
      return (await this.#engine.runKept(`training/${task}`, { feeds, load, store: {} })).outputs;
    });
  }

  /** The present values of all variables, by name. */
  state(): Promise<Map<string, HostTensor>> {
    return this.#whenReady(() => this.#read());
  }

  /** Works with everything open; again, from the last copy, where the worker is lost or its GPU fails meanwhile. */
  async #whenReady<Value>(work: () => Promise<Value>): Promise<Value> {
    for (;;) {
      await this.#engine.start();
      const { generation } = this.#engine;
      try {
        await this.#fill();
        return await work();
      } catch (error) {
        if (this.#engine.generation === generation && !(await this.#engine.leaveGpu(error))) throw error;
      }
    }
  }

  async #read(): Promise<Map<string, HostTensor>> {
    const names = [...this.files.state.keys()];
    const values = await this.#engine.read(names.map(slot));
    return new Map(names.map((name) => [name, values.get(slot(name))!]));
  }

  /** Opens the step and fills in the state, at first and after each loss of the worker. */
  async #fill(): Promise<void> {
    const { generation } = this.#engine;
    if (this.#generation === generation) return;
    this.#opened.clear();
    const { state } = this.files.about.step;
    const keep = state.flatMap(({ output }) => (output === undefined ? [] : [output]));
    await this.#engine.openKept("training step", { model: this.files.step, keep });
    await this.#engine.put(new Map([...this.#copy.state].map(([name, value]) => [slot(name), value])));
    this.step = this.#copy.step;
    this.#generation = generation;
  }
}

function record(entries: readonly (readonly string[])[]): Record<string, string> {
  return Object.fromEntries(entries.map(([from, to]) => [from!, to!]));
}
