import { UsageError } from "../../schemas/errors.ts";
import type { WVaeConfig } from "../../schemas/w-vae-config.ts";
import { autoencoder } from "../networks/autoencoder.ts";
import type { InputSpec, LatentBlock, ModelFamily, Phase, Player } from "./family.ts";
import { warmUp } from "./schedules.ts";
import { evidenceLosses, posteriorLosses } from "./w-vae-marginal.ts";
import { spacesOf, wVaeNetworks } from "./w-vae-networks.ts";
import { annealing, autoencoderLosses, jointLosses, objectiveNoise } from "./w-vae-objective.ts";
import { wVaeTasks } from "./w-vae-tasks.ts";

/**
 * Wyner variational autoencoder: a common code that makes two views independent, and a local code for the rest of each.
 *
 * Source: Ryu et al., "Wyner VAE: Joint and Conditional Generation with Succinct Common Representation Learning"
 */
export const wVae: ModelFamily<WVaeConfig> = {
  name: "w-vae",
  networks: wVaeNetworks,
  inputs({ image: { size, channels } }) {
    const image = (view: number): InputSpec => ({
      shape: ["batch", size, size, channels],
      dtype: "uint8",
      description: `view ${view}, intensity 0..255`,
    });
    return { view_1: image(1), view_2: image(2) };
  },
  noise: objectiveNoise,
  phases(config): Phase[] {
    const { shares } = config;
    const left = 1 - shares.autoencoder - shares.joint;
    if (left <= 0) {
      throw new UsageError(
        `Cannot train: "model.shares" must leave some steps to the marginal encoders, got ${shares.autoencoder} + ${shares.joint}`,
        { code: "invalid", path: ["model", "shares"] },
      );
    }
    const player = (trains: string[]): Player[] => [
      { name: "model", trains, minimises: "loss", optimiser: config.optimiser },
    ];
    const scalars = annealing(config);
    const marginal = config.marginals === "posterior" ? posteriorLosses : evidenceLosses;
    return [
      {
        name: "autoencoder",
        share: shares.autoencoder,
        players: player([autoencoder.prefix]),
        scalars: { "learning_rate.model": scalars["learning_rate.model"]! },
        losses: (networks, inputs) => autoencoderLosses(networks, inputs),
      },
      {
        name: "joint",
        share: shares.joint,
        players: player(["joint.", "decoder_"]),
        scalars: { ...scalars, local_weight: warmUp(config.uniqueWarmUp) },
        losses: (networks, inputs) => jointLosses(networks, config, inputs),
      },
      {
        name: "marginal",
        share: left,
        players: player(["marginal_"]),
        scalars,
        losses: (networks, inputs) => marginal(networks, config, inputs),
      },
    ];
  },
  latents(config): LatentBlock[] {
    const { common, unique } = spacesOf(config);
    return [
      { name: "common", dimensions: common.dimensions("common") },
      ...(unique === undefined
        ? []
        : (["unique_1", "unique_2"] as const).map((name) => ({ name, dimensions: unique.dimensions(name) }))),
    ];
  },
  tasks: wVaeTasks,
};
