import type { RineConfig } from "../../schemas/rine-config.ts";
import type { ModelFamily } from "./family.ts";
import { rineInputs, rineNetworks } from "./rine-networks.ts";
import { rineLosses, rineSchedules } from "./rine-objective.ts";
import { rineTasks } from "./rine-tasks.ts";

/**
 * Redundant Information Neural Estimation: one network a source predicts the target, and all have to agree. What they
 * then still tell is common to the sources.
 *
 * Batch norm takes its moments over the whole minibatch, so micro-batches are not used.
 *
 * Source: Kleinman et al., "Redundant Information Neural Estimation", and the authors' code
 */
export const rine: ModelFamily<RineConfig> = {
  name: "rine",
  networks: rineNetworks,
  inputs: rineInputs,
  noise: () => ({}),
  phases: (config) => [
    {
      name: "joint",
      share: 1,
      players: [
        {
          name: "model",
          trains: config.problems.map(({ name }) => `${name}.`),
          minimises: "loss",
          optimiser: config.optimiser,
        },
      ],
      scalars: rineSchedules(config),
      losses: (networks, inputs) => rineLosses(networks, config, inputs),
    },
  ],
  latents: () => [],
  tasks: rineTasks,
};
