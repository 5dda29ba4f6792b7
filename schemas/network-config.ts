import { Type } from "typebox";
import { limits } from "./limits.ts";

/** What model configs of several families have in common. */

/** The networks of images are made for these two sizes. */
export const imageSchema = Type.Object(
  {
    size: Type.Union([Type.Literal(32), Type.Literal(64)], { description: "height and width in pixels" }),
    channels: Type.Integer({ minimum: 1, maximum: limits.channels }),
  },
  { additionalProperties: false },
);

/** Sizes of the Burgess encoder and decoder; the defaults are the papers'. */
export const burgessFields = {
  filters: Type.Integer({
    minimum: 1,
    maximum: limits.filters,
    default: 32,
    description: "channels of every hidden convolution",
  }),
  hidden: Type.Integer({ minimum: 1, maximum: limits.width, default: 256, description: "width of the dense layers" }),
};
