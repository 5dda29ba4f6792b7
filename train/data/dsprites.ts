import type { DspritesOptions } from "../../schemas/data.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { createDspritesRenderer, DSPRITES_RENDERER, DSPRITES_SIZES } from "./dsprites-renderer.ts";
import type { Labels, PairSource } from "./pair-source.ts";
import { requireNoRoles, singleFromFactors } from "./single-view.ts";
import { assignRoles, commonFactorBits, drawLabels, type FactorSize, namesOf, strideFor } from "./pairing.ts";

const ACTION = `open data source "dsprites"`;

/**
 * Pairs of procedural dSprites images: `view_1` and `view_2`, uint8 [size, side, side, 1], 0 or 255; with `views` 1
 * single ones, `image`.
 *
 * With the default roles this is Common-dsprites of the GK-VAE paper: positions unique, shape, scale and orientation
 * common, 9.492 bits. A thinned factor keeps every n-th value from 0 on and has labels 0 .. kept - 1.
 *
 * @throws UsageError if the roles do not fit the factors or a kept count does not divide the full one
 */
export function createDsprites(options: DspritesOptions): PairSource {
  const side = options.size;
  const stride = {
    scale: strideFor("scales", options.scales, { full: DSPRITES_SIZES.scale, action: ACTION }),
    orientation: strideFor("orientations", options.orientations, { full: DSPRITES_SIZES.orientation, action: ACTION }),
    position: strideFor("positions", options.positions, { full: DSPRITES_SIZES.position_x, action: ACTION }),
  };
  const sizes: FactorSize[] = [
    { name: "shape", size: DSPRITES_SIZES.shape },
    { name: "scale", size: options.scales },
    { name: "orientation", size: options.orientations },
    { name: "position_x", size: options.positions },
    { name: "position_y", size: options.positions },
  ];
  const render = createDspritesRenderer(side);
  if (options.views === 1) {
    requireNoRoles(options, ACTION);
    return singleFromFactors({
      name: "dsprites",
      summary: `procedural dSprites ${side}x${side}, single images: ${sizes.map(({ name, size }) => `${name} ${size}`).join(", ")}`,
      image: { height: side, width: side, channels: 1 },
      provenance: { renderer: DSPRITES_RENDERER },
      sizes,
      render: drawView,
    });
  }
  const untold = options.common === undefined && options.unique === undefined;
  const unique = untold ? ["position_x", "position_y"] : options.unique;
  const factors = assignRoles(sizes, { common: options.common, unique }, ACTION);
  const bits = commonFactorBits(factors);

  function drawView(labels: Labels, size: number): HostTensor {
    const data = new Uint8Array(size * side * side);
    const { shape, scale, orientation, position_x, position_y } = labels as Record<string, Int32Array>;
    for (let row = 0; row < size; row++) {
      const sprite = {
        shape: shape![row]!,
        scale: scale![row]! * stride.scale,
        orientation: orientation![row]! * stride.orientation,
        x: position_x![row]! * stride.position,
        y: position_y![row]! * stride.position,
      };
      render(sprite, data, row * side * side);
    }
    return { dtype: "uint8", shape: [size, side, side, 1], data };
  }

  const turns = factors.find(({ name }) => name === "orientation")!;
  const twins =
    turns.role === "common" && turns.size === DSPRITES_SIZES.orientation ? "; orientations 0 and 39 look the same" : "";
  const view = { height: side, width: side, channels: 1 };
  return {
    description: {
      name: "dsprites",
      summary:
        `procedural dSprites ${side}x${side}, common: ${namesOf(factors, "common")} (${bits.toFixed(3)} bits of factor values${twins}), ` +
        `unique: ${namesOf(factors, "unique")}`,
      views: [
        { name: "view_1", ...view },
        { name: "view_2", ...view },
      ],
      factors,
      commonInformationBits: bits,
      provenance: { renderer: DSPRITES_RENDERER },
    },
    draw(size, random) {
      const labels = drawLabels(factors, size, random);
      return {
        tensors: { view_1: drawView(labels[0], size), view_2: drawView(labels[1], size) },
        labels,
      };
    },
  };
}
