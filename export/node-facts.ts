import type { Shape, Size } from "./check-dims.ts";

/** What a shape rule may look at. */
export interface NodeFacts {
  /** Of each input; undefined: of unknown rank, or left out. */
  readonly shapes: readonly (Shape | undefined)[];
  /** Integer contents of each input, where they are known; sizes that follow the batch among them. */
  readonly values: readonly (readonly Size[] | undefined)[];
  /** Numbers of each float input, where they are constant. */
  readonly floats: readonly (readonly number[] | undefined)[];
  readonly outputs: number;
  int(name: string, absent: number): number;
  ints(name: string): readonly number[] | undefined;
  string(name: string, absent: string): string;
}

/** Of the outputs, each undefined where it is not known. */
export type Shapes = readonly (Shape | undefined)[];

/** @throws Fault if the inputs break the operator's rules */
export type ShapeRule = (node: NodeFacts) => Shapes;
