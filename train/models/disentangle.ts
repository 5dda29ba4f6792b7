import type { DisentangleConfig } from "../../schemas/disentangle-config.ts";
import { disentangleNetworks } from "./disentangle-networks.ts";
import { disentangleLosses, disentangleNoise } from "./disentangle-objective.ts";
import { disentangleLatents, disentangleTasks, imageInput } from "./disentangle-tasks.ts";
import type { ModelFamily } from "./family.ts";

/**
 * Variational auto-encoders of one view: VAE, beta-VAE, FactorVAE and beta-TCVAE, each with the vanilla encoder of
 * disentanglement_lib, a split one, or a vanilla one of as many parameters.
 *
 * Source: Yang et al., "Bridging Disentanglement with Independence and Conditional Independence via Mutual Information
 * for Representation Learning" (Split Encoder), and disentanglement_lib, whose defaults it takes
 */
export const disentangle: ModelFamily<DisentangleConfig> = {
  name: "disentangle",
  networks: disentangleNetworks,
  inputs: (config) => ({ image: imageInput(config) }),
  noise: disentangleNoise,
  phases: (config) => [
    {
      name: "training",
      share: 1,
      players: [
        { name: "model", trains: ["encoder.", "decoder."], minimises: "loss", optimiser: config.optimiser },
        ...(config.objective === "factor-vae"
          ? [
              {
                name: "discriminator",
                trains: ["discriminator."],
                minimises: "discriminator_loss",
                optimiser: config.discriminator.optimiser,
              },
            ]
          : []),
      ],
      scalars: {},
      losses: (networks, inputs) => disentangleLosses(networks, config, inputs),
    },
  ],
  latents: disentangleLatents,
  tasks: disentangleTasks,
};
