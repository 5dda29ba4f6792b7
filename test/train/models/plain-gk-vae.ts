import { type Plain, type PlainNetworks, plain, plainDecoder, plainEncoder } from "../networks/plain-burgess.ts";

/** The objective once more, in float64 on plain arrays, with loops instead of tensors. Shares no code with the model. */

export interface PlainSettings {
  readonly size: number;
  readonly common: number;
  readonly unique: number;
  readonly decoders: "all-latents" | "per-view";
  readonly reduction: "sum" | "mean";
  readonly gamma: number;
  readonly betaUnique: number;
  readonly betaCommon: number;
  readonly lambda: number;
  readonly floor: number;
}

/** One pair with its noise. Images are 0..255. */
export interface PlainPair {
  readonly view_1: Plain;
  readonly view_2: Plain;
  readonly noise: Readonly<Record<"unique_1" | "unique_2" | "common_1" | "common_2", ArrayLike<number>>>;
}

interface Moments {
  readonly mean: number[];
  readonly logvar: number[];
}

function kl(q: Moments, pMean: readonly number[], pVariance: readonly number[], j: number): number {
  const variance = Math.exp(q.logvar[j]!);
  const ratio = (variance + (q.mean[j]! - pMean[j]!) ** 2) / pVariance[j]!;
  return 0.5 * (ratio - 1 - Math.log(variance / pVariance[j]!));
}

export function plainLosses(
  networks: PlainNetworks,
  settings: PlainSettings,
  pairs: readonly PlainPair[],
  coin: number,
): Record<string, number> {
  const { common, unique, size } = settings;
  const codes = pairs.map((pair) => ({ first: encode(1, pair.view_1), second: encode(2, pair.view_2) }));

  function encode(view: 1 | 2, image: Plain): { unique: Moments; common: Moments } {
    const intensity = { shape: image.shape, values: image.values.map((value) => value / 255) };
    const out = [...plainEncoder(networks, `encoder_${view}`, intensity)];
    const total = unique + common;
    return {
      unique: { mean: out.slice(0, unique), logvar: out.slice(total, total + unique) },
      common: { mean: out.slice(unique, total), logvar: out.slice(total + unique) },
    };
  }

  const draw = (q: Moments, noise: ArrayLike<number>) =>
    q.mean.map((mean, j) => mean + Math.exp(q.logvar[j]! / 2) * noise[j]!);
  let error = 0;
  let disagreement = 0;
  for (const [i, pair] of pairs.entries()) {
    const { first, second } = codes[i]!;
    const u1 = draw(first.unique, pair.noise.unique_1);
    const u2 = draw(second.unique, pair.noise.unique_2);
    const c = coin < 0.5 ? draw(first.common, pair.noise.common_1) : draw(second.common, pair.noise.common_2);
    for (const view of [1, 2] as const) {
      const perView = view === 1 ? [...u1, ...c] : [...c, ...u2];
      const z = settings.decoders === "per-view" ? perView : [...u1, ...c, ...u2];
      const logits = plainDecoder(networks, `decoder_${view}`, plain([z.length], z), size).values;
      const target = (view === 1 ? pair.view_1 : pair.view_2).values;
      for (const [p, logit] of logits.entries()) {
        const x = target[p]! / 255;
        const probability = 1 / (1 + Math.exp(-logit));
        error -= x * Math.log(probability) + (1 - x) * Math.log(1 - probability);
      }
    }
    const nearly = second.common.logvar.map((logvar) => Math.exp(logvar) + 1e-7);
    for (let j = 0; j < common; j++) disagreement += kl(first.common, second.common.mean, nearly, j);
  }

  const terms: Record<string, number> = {};
  const blocks = {
    unique_1: { prior: "unique_1", q: codes.map(({ first }) => first.unique) },
    unique_2: { prior: "unique_2", q: codes.map(({ second }) => second.unique) },
    common_1: { prior: "common", q: codes.map(({ first }) => first.common) },
    common_2: { prior: "common", q: codes.map(({ second }) => second.common) },
  };
  for (const [name, { prior, q }] of Object.entries(blocks)) {
    const dims = q[0]!.mean.length;
    const priorMean = [...(networks[`prior.${prior}.mean`]?.values ?? new Float64Array(dims))];
    const priorVariance = [...(networks[`prior.${prior}.logvar`]?.values ?? new Float64Array(dims))].map(Math.exp);
    let rate = 0;
    let clamped = 0;
    for (let j = 0; j < dims; j++) {
      const mean = q.reduce((sum, moments) => sum + kl(moments, priorMean, priorVariance, j), 0) / q.length;
      rate += mean;
      clamped += Math.max(mean, settings.floor);
    }
    terms[`rate_${name}`] = rate;
    terms[`clamped_rate_${name}`] = clamped;
  }
  terms.reconstruction = error / pairs.length;
  terms.matching = disagreement / pairs.length;
  terms.loss =
    terms.reconstruction +
    settings.gamma * settings.betaUnique * (terms.clamped_rate_unique_1! + terms.clamped_rate_unique_2!) +
    settings.gamma * settings.betaCommon * (terms.clamped_rate_common_1! + terms.clamped_rate_common_2!) +
    settings.lambda * (settings.reduction === "sum" ? disagreement : terms.matching);
  return terms;
}
