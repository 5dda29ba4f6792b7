import type { Shapes3dOptions } from "../../schemas/data.ts";
import { UsageError } from "../../schemas/errors.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import type { Labels, PairSource } from "./pair-source.ts";
import { assignRoles, commonFactorBits, drawLabels, type FactorSize, namesOf, strideFor } from "./pairing.ts";
import { createShapes3dRenderer, SHAPES3D_RENDERER } from "./shapes3d-renderer.ts";
import { SHAPES3D_SIZES } from "./shapes3d-scene.ts";
import { shiftedInformation, shiftedValue } from "./shifted-values.ts";

const ACTION = `open data source "shapes3d"`;
const HUES = ["floor_hue", "wall_hue", "object_hue"] as const;

/**
 * Pairs of procedural images in the manner of 3dshapes: `view_1` and `view_2`, uint8 [size, side, side, 3].
 *
 * With the default roles this is Common-3dshapes of the GK-VAE paper: the three hues unique, scale, shape and
 * orientation common, 8.907 bits. With `correlation: "shifted"` it is the paper's correlated set: the Gács-Körner
 * common information is the same and the mutual information 11.907 bits. A thinned factor keeps every n-th value from
 * 0 on and has labels 0 .. kept - 1. All images are different, so the figures hold for images as for factors.
 *
 * @throws UsageError if the roles do not fit the factors, a kept count does not divide the full one, or no unique hue
 *   is there to be correlated
 */
export function createShapes3d(options: Shapes3dOptions): PairSource {
  const side = options.size;
  const keep = (option: "hues" | "scales" | "shapes" | "orientations", full: number): number =>
    strideFor(option, options[option], { full, action: ACTION });
  const stride = {
    hue: keep("hues", SHAPES3D_SIZES.floor_hue),
    scale: keep("scales", SHAPES3D_SIZES.scale),
    shape: keep("shapes", SHAPES3D_SIZES.shape),
    orientation: keep("orientations", SHAPES3D_SIZES.orientation),
  };
  const sizes: FactorSize[] = [
    ...HUES.map((name) => ({ name, size: options.hues })),
    { name: "scale", size: options.scales },
    { name: "shape", size: options.shapes },
    { name: "orientation", size: options.orientations },
  ];
  const untold = options.common === undefined && options.unique === undefined;
  const factors = assignRoles(sizes, { common: options.common, unique: untold ? HUES : options.unique }, ACTION);
  const shifted =
    options.correlation === "none"
      ? []
      : factors.filter(({ name, role }) => role === "unique" && HUES.some((hue) => hue === name));
  if (options.correlation === "shifted" && shifted.length === 0) {
    throw new UsageError(`Cannot ${ACTION}: correlation "shifted" needs a unique hue, got none`, {
      code: "invalid",
      path: ["correlation"],
    });
  }
  const follow = Object.fromEntries(shifted.map(({ name, size }) => [name, shiftedValue(size)]));
  const related = shifted.map(({ size }) => shiftedInformation(size));
  const independentBits = commonFactorBits(factors);
  const commonBits = related.reduce((bits, { gacsKornerBits }) => bits + gacsKornerBits, independentBits);
  const mutualBits = related.reduce((bits, pair) => bits + pair.mutualBits, independentBits);
  const render = createShapes3dRenderer(side);

  function drawView(labels: Labels, size: number): HostTensor {
    const data = new Uint8Array(size * side * side * 3);
    const { floor_hue, wall_hue, object_hue, scale, shape, orientation } = labels as Record<string, Int32Array>;
    for (let row = 0; row < size; row++) {
      const image = {
        floorHue: floor_hue![row]! * stride.hue,
        wallHue: wall_hue![row]! * stride.hue,
        objectHue: object_hue![row]! * stride.hue,
        scale: scale![row]! * stride.scale,
        shape: shape![row]! * stride.shape,
        orientation: orientation![row]! * stride.orientation,
      };
      render(image, data, row * side * side * 3);
    }
    return { dtype: "uint8", shape: [size, side, side, 3], data };
  }

  const view = { height: side, width: side, channels: 3 };
  const relation = shifted.length === 0 ? "" : `, of which correlated: ${shifted.map(({ name }) => name).join(", ")}`;
  return {
    description: {
      name: "shapes3d",
      summary:
        `procedural 3dshapes-like images ${side}x${side}, common: ${namesOf(factors, "common")} ` +
        `(${commonBits.toFixed(3)} bits), unique: ${namesOf(factors, "unique")}${relation}`,
      views: [
        { name: "view_1", ...view },
        { name: "view_2", ...view },
      ],
      factors,
      commonInformationBits: commonBits,
      mutualInformationBits: mutualBits,
      provenance: { renderer: SHAPES3D_RENDERER },
    },
    draw(size, random) {
      const labels = drawLabels(factors, size, random, follow);
      return { tensors: { view_1: drawView(labels[0], size), view_2: drawView(labels[1], size) }, labels };
    },
  };
}
