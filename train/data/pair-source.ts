import type { HostTensor } from "../../schemas/tensor.ts";
import type { Random } from "../random.ts";

/** One generative factor and how the two views of a pair relate in it. */
export interface Factor {
  readonly name: string;
  /** Number of values; labels are 0 .. size - 1. */
  readonly size: number;
  /** `common`: one draw for both views. `unique`: drawn for each view alone. `single`: there is one view only. */
  readonly role: "common" | "unique" | "single";
}

export interface SourceDescription {
  readonly name: string;
  /** One line for people: what is drawn and from where. */
  readonly summary: string;
  /** Image views, NHWC uint8. Empty for sources that are not images. */
  readonly views: readonly {
    readonly name: string;
    readonly height: number;
    readonly width: number;
    readonly channels: number;
  }[];
  readonly factors: readonly Factor[];
  /** Exact Gács-Körner common information of a pair in bits, where it is known. */
  readonly commonInformationBits?: number;
  /** Exact mutual information of a pair in bits, where it is known. Above the former if unique factors are correlated. */
  readonly mutualInformationBits?: number;
  /** What a stored result must name to be repeatable: file names with sha256, or renderer and version. */
  readonly provenance: Readonly<Record<string, string>>;
}

/** Labels by factor name, one entry per row. A common factor has equal labels in both views. */
export type Labels = Readonly<Record<string, Int32Array>>;

export interface Minibatch {
  /** By graph input name, for instance `view_1` and `view_2`, or `image` where there is one view: uint8 [size, height, width, channels]. */
  readonly tensors: Readonly<Record<string, HostTensor>>;
  /** Labels of view 1 and of view 2, the same twice where there is one: used by evaluation only, never by an unsupervised objective. */
  readonly labels: readonly [Labels, Labels];
}

/** Examples that training never draws, for instance a test file: all of them, in order, as they are. */
export interface HeldOut {
  readonly count: number;
  /** Examples `start` to `start + size - 1`. */
  take(start: number, size: number): Minibatch;
}

/** Draws pairs. The same generator address gives the same bytes, so the data cursor of a run is its step number. */
export interface PairSource {
  readonly description: SourceDescription;
  draw(size: number, random: Random): Minibatch;
  /** Opens the held-out examples. Absent where fresh draws do as well, or there are none. */
  heldOut?(): HeldOut;
}
