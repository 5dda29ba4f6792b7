import type * as tf from "@tensorflow/tfjs-core";
import "../../export/tfjs-setup.ts";
import { writeOnnx } from "../../export/onnx-writer.ts";
import { trace } from "../../export/trace.ts";
import { createSession } from "../../runtime/create-session.ts";
import type { Session, SessionOptions } from "../../runtime/session.ts";
import type { Recipe } from "../../schemas/recipe.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { State } from "../engine/engine.ts";
import { setNetworks } from "../engine/set-networks.ts";
import { useBackend } from "../engine/tfjs-backend.ts";
import type { TaskSpec } from "../models/family.ts";
import { familyByName } from "../models/registry.ts";

/** The tasks of a trained model, each compiled when it is first run. */
export interface CompiledTasks {
  /** What the family offers. */
  readonly specs: Readonly<Record<string, TaskSpec>>;
  run(name: string, inputs: Readonly<Record<string, HostTensor>>): Promise<Readonly<Record<string, HostTensor>>>;
  /** Sets the model to another checkpoint's values, for measures that look at several. */
  load(values: State): Promise<void>;
  close(): Promise<void>;
}

/**
 * One model at a time in a process until it is closed: tfjs knows variables by name.
 *
 * @param values of a checkpoint, frozen into the graphs
 * @param options of the sessions that run them
 * @throws FailureError if the checkpoint is of another model
 */
export async function openTasks(recipe: Recipe, values: State, options: SessionOptions = {}): Promise<CompiledTasks> {
  const family = familyByName(recipe.family);
  await useBackend("cpu");
  const networks = family.networks(recipe.model, recipe.training.seed);
  const dispose = (): void => {
    for (const variable of Object.values(networks)) variable.dispose();
  };
  const set = (from: State): void =>
    setNetworks(networks, from, (name) => `Cannot evaluate: "${name}" must be in the checkpoint, got none`);
  try {
    set(values);
  } catch (error) {
    dispose();
    throw error;
  }
  const specs = family.tasks(recipe.model);
  const sessions = new Map<string, Session>();

  async function sessionOf(name: string): Promise<Session> {
    const open = sessions.get(name);
    if (open !== undefined) return open;
    const task = specs[name];
    if (task === undefined) throw new Error(`Cannot evaluate: family "${recipe.family}" must have a task "${name}"`);
    const run = (inputs: Record<string, tf.Tensor>) => task.run(networks, inputs);
    const program = trace(run, { name, inputs: task.inputs, variables: "frozen" });
    const session = await createSession(writeOnnx(program), options);
    sessions.set(name, session);
    return session;
  }

  async function release(): Promise<void> {
    for (const session of sessions.values()) await session.release();
    sessions.clear();
  }

  return {
    specs,
    run: async (name, inputs) => (await sessionOf(name)).run(inputs),
    async load(from) {
      await release(); // they have the old values in them
      set(from);
    },
    async close() {
      dispose();
      await release();
    },
  };
}
