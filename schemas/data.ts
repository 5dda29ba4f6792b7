import { type Static, Type } from "typebox";

/** Contract of the `data` part of a recipe, one schema for each built-in source of pairs. */

const closed = { additionalProperties: false } as const;

const views = Type.Integer({
  minimum: 1,
  maximum: 2,
  default: 2,
  description: "2: pairs; 1: single images, for families that see one view",
});

const dspritesFactor = Type.Enum(["shape", "scale", "orientation", "position_x", "position_y"]);

export const dspritesOptionsSchema = Type.Object(
  {
    source: Type.Literal("dsprites"),
    views,
    size: Type.Enum([32, 64], { default: 64, description: "pixels of a side" }),
    common: Type.Optional(
      Type.Array(dspritesFactor, { description: "factors that both views share; default: those not in `unique`" }),
    ),
    unique: Type.Optional(
      Type.Array(dspritesFactor, {
        description:
          "factors that each view draws alone; default: those not in `common`, or position_x and position_y if that is left out too",
      }),
    ),
    scales: Type.Integer({ minimum: 1, maximum: 6, default: 6, description: "values kept of 6: a divisor of it" }),
    orientations: Type.Integer({
      minimum: 1,
      maximum: 40,
      default: 40,
      description: "values kept of 40: a divisor of it",
    }),
    positions: Type.Integer({
      minimum: 1,
      maximum: 32,
      default: 32,
      description: "values kept of 32 in each direction: a divisor of it, for instance 16 for every second",
    }),
  },
  closed,
);
export type DspritesOptions = Static<typeof dspritesOptionsSchema>;

export const rotatedDigitsOptionsSchema = Type.Object(
  {
    source: Type.Literal("rotated-digits"),
    split: Type.Enum(["train", "test"], { default: "train", description: "which MNIST files the digits come from" }),
  },
  closed,
);
export type RotatedDigitsOptions = Static<typeof rotatedDigitsOptionsSchema>;

export const addOneDigitsOptionsSchema = Type.Object(
  {
    source: Type.Literal("add-one-digits"),
    split: Type.Enum(["train", "test"], { default: "train", description: "which MNIST files the digits come from" }),
    perClass: Type.Integer({
      minimum: 1,
      default: 5000,
      description: "pairs of one class at most; 5,000 is the paper's, and makes the training set exactly balanced",
    }),
  },
  closed,
);
export type AddOneDigitsOptions = Static<typeof addOneDigitsOptionsSchema>;

export const labelledDigitsOptionsSchema = Type.Object(
  {
    source: Type.Literal("labelled-digits"),
    split: Type.Enum(["train", "test"], { default: "train", description: "which MNIST files the digits come from" }),
    shift: Type.Integer({
      minimum: 0,
      maximum: 2,
      default: 0,
      description:
        "pixels that a digit is moved by at most, at random in each direction; the test split is never moved",
    }),
    label: Type.Enum(["class", "rotation"], {
      default: "class",
      description: "what the label says; `rotation`: digits turned as in rotated-digits, and ten bins of the angle",
    }),
  },
  closed,
);
export type LabelledDigitsOptions = Static<typeof labelledDigitsOptionsSchema>;

export const drawnDigitsOptionsSchema = Type.Object({ source: Type.Literal("drawn-digits") }, closed);
export type DrawnDigitsOptions = Static<typeof drawnDigitsOptionsSchema>;

const shapes3dFactor = Type.Enum(["floor_hue", "wall_hue", "object_hue", "scale", "shape", "orientation"]);
const kept = (full: number) =>
  Type.Integer({ minimum: 1, maximum: full, default: full, description: `values kept of ${full}: a divisor of it` });

export const shapes3dOptionsSchema = Type.Object(
  {
    source: Type.Literal("shapes3d"),
    size: Type.Enum([32, 64], { default: 64, description: "pixels of a side" }),
    common: Type.Optional(
      Type.Array(shapes3dFactor, { description: "factors that both views share; default: those not in `unique`" }),
    ),
    unique: Type.Optional(
      Type.Array(shapes3dFactor, {
        description:
          "factors that each view draws alone; default: those not in `common`, or the three hues if that is left out too",
      }),
    ),
    correlation: Type.Enum(["none", "shifted"], {
      default: "none",
      description:
        "`shifted`: a unique hue of view 2 is that of view 1 plus a whole number drawn from 1 to 5, round the colour circle",
    }),
    hues: kept(10),
    scales: kept(8),
    shapes: kept(4),
    orientations: kept(15),
  },
  closed,
);
export type Shapes3dOptions = Static<typeof shapes3dOptionsSchema>;

export const dspritesFileOptionsSchema = Type.Object(
  {
    source: Type.Literal("dsprites-file"),
    views,
    file: Type.String({
      default: "dsprites_ndarray_co1sh3sc6or40x32y32_64x64.npz",
      description: "in the data folder: npz, or HDF5 where it ends in .hdf5 or .h5; all images or a part of them",
    }),
    common: Type.Optional(Type.Array(dspritesFactor, { description: "as of source dsprites" })),
    unique: Type.Optional(Type.Array(dspritesFactor, { description: "as of source dsprites" })),
  },
  closed,
);
export type DspritesFileOptions = Static<typeof dspritesFileOptionsSchema>;

export const shapes3dFileOptionsSchema = Type.Object(
  {
    source: Type.Literal("shapes3d-file"),
    file: Type.String({ default: "3dshapes.h5", description: "HDF5 file in the data folder" }),
    stored: Type.Enum(["memory", "file"], {
      default: "memory",
      description:
        "where images are drawn from: memory (5.9 GB for all), or the file, which is slow if it is compressed",
    }),
    common: Type.Optional(Type.Array(shapes3dFactor, { description: "as of source shapes3d" })),
    unique: Type.Optional(Type.Array(shapes3dFactor, { description: "as of source shapes3d" })),
  },
  closed,
);
export type Shapes3dFileOptions = Static<typeof shapes3dFileOptionsSchema>;

export const pngFoldersOptionsSchema = Type.Object(
  {
    source: Type.Literal("png-folders"),
    folders: Type.Array(Type.String({ minLength: 1 }), {
      minItems: 2,
      maxItems: 8,
      default: ["view_1", "view_2"],
      description: "folders in the data folder, one for each view; files of one name are one example",
    }),
  },
  closed,
);
export type PngFoldersOptions = Static<typeof pngFoldersOptionsSchema>;

export const spritesVideoOptionsSchema = Type.Object(
  {
    source: Type.Literal("sprites-video"),
    delay: Type.Integer({ minimum: 0, maximum: 7, default: 1, description: "frames between view 1 and view 2" }),
    start: Type.Enum(["first", "any"], {
      default: "first",
      description: "`first`: view 1 is frame 0; `any`: a frame from 0 to 7 - delay (consecutive frames: delay 1)",
    }),
    split: Type.Enum(["train", "test"], { default: "train", description: "1,000 or the other 296 characters" }),
    redrawn: Type.Optional(
      Type.Array(Type.Enum(["body", "bottomwear", "topwear", "hair", "action", "direction"]), {
        uniqueItems: true,
        description: "attributes drawn anew on the way: the first before frame 1, the second before frame 2, ...",
      }),
    ),
  },
  closed,
);
export type SpritesVideoOptions = Static<typeof spritesVideoOptionsSchema>;

export const canonicalTasksOptionsSchema = Type.Object(
  {
    source: Type.Literal("canonical-tasks"),
    tasks: Type.Array(Type.Enum(["UNQ", "AND", "RDNXOR", "IMPERFECTRDN"]), {
      minItems: 1,
      uniqueItems: true,
      default: ["UNQ", "AND", "RDNXOR", "IMPERFECTRDN"],
      description: "tables 2 to 5 of the RINE paper",
    }),
  },
  closed,
);
export type CanonicalTasksOptions = Static<typeof canonicalTasksOptionsSchema>;

export const cifar10OptionsSchema = Type.Object(
  {
    source: Type.Literal("cifar10"),
    batches: Type.Array(Type.Integer({ minimum: 1, maximum: 5 }), {
      minItems: 1,
      uniqueItems: true,
      default: [1, 2, 3, 4, 5],
      description: "which of the training files data_batch_N.bin, 10,000 images each",
    }),
    view: Type.Enum(["images", "frequencies"], {
      default: "images",
      description: "both sources are the image; or x1 its low and x2 its high frequencies",
    }),
    augment: Type.Boolean({
      default: true,
      description: "in training shift each source on its own, by up to 4 pixels; frequencies are never shifted",
    }),
    radius: Type.Integer({ minimum: 0, maximum: 15, default: 2, description: "largest wave number of the low band" }),
    cast: Type.Enum(["wrap", "shift"], {
      default: "wrap",
      description: "a band to uint8: wrap modulo 256 as the RINE authors' code, or shift the high band by 128 and clip",
    }),
  },
  closed,
);
export type Cifar10Options = Static<typeof cifar10OptionsSchema>;

const singleSize = Type.Enum([32, 64], {
  default: 64,
  description: "pixels of a side, made smaller with antialiasing",
});

export const cars3dOptionsSchema = Type.Object(
  {
    source: Type.Literal("cars3d"),
    size: singleSize,
    cars: Type.Integer({ minimum: 1, maximum: 183, default: 183, description: "at most so many of the files there" }),
  },
  closed,
);
export type Cars3dOptions = Static<typeof cars3dOptionsSchema>;

export const smallNorbOptionsSchema = Type.Object(
  {
    source: Type.Literal("small-norb"),
    size: singleSize,
    split: Type.Enum(["both", "train", "test"], { default: "both", description: "which files the images come from" }),
  },
  closed,
);
export type SmallNorbOptions = Static<typeof smallNorbOptionsSchema>;
