import type { GkVaeConfig } from "../../schemas/gk-vae-config.ts";
import type { InputSpec, ModelFamily } from "./family.ts";
import { gkVaeNetworks } from "./gk-vae-networks.ts";
import { gkVaeLosses, objectiveNoise, objectiveScalars } from "./gk-vae-objective.ts";
import { gkVaeLatents, gkVaeTasks } from "./gk-vae-tasks.ts";

/**
 * Gacs-Korner variational auto-encoder: what two views share goes into one code that either encoder can give, what is
 * a view's own into a code that costs more.
 *
 * Source: Kleinman et al., "Gacs-Korner Common Information Variational Autoencoder", and the authors' code
 */
export const gkVae: ModelFamily<GkVaeConfig> = {
  name: "gk-vae",
  networks: gkVaeNetworks,
  inputs(config) {
    const { size, channels } = config.image;
    const image = (view: number): InputSpec => ({
      shape: ["batch", size, size, channels],
      dtype: "uint8",
      description: `view ${view}, intensity 0..255`,
    });
    return { view_1: image(1), view_2: image(2) };
  },
  noise: objectiveNoise,
  phases: (config) => [
    {
      name: "joint",
      share: 1,
      players: [
        {
          name: "model",
          trains: ["encoder_", "decoder_", ...(config.prior === "learned" ? ["prior."] : [])],
          minimises: "loss",
          optimiser: config.optimiser,
        },
      ],
      scalars: objectiveScalars(config),
      losses: (networks, inputs) => gkVaeLosses(networks, config, inputs),
    },
  ],
  latents: gkVaeLatents,
  tasks: gkVaeTasks,
};
