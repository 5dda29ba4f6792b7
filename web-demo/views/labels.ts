import type { Manifest } from "../../schemas/manifest.ts";
import type { Labels } from "../model/sample.ts";

type Factors = Manifest["data"]["factors"];

/** What the labels say of one picture: `label 3, rotation 7`. */
export function labelText(factors: Factors, labels: Labels, pair: number): string {
  return factors
    .filter(({ name }) => labels[name] !== undefined)
    .map(({ name }) => `${name.replaceAll("_", " ")} ${labels[name]![pair]}`)
    .join(", ");
}

/** Factors of which the sample has labels. */
export function labelled(factors: Factors, labels: Labels): Factors[number][] {
  return factors.filter(({ name }) => labels[name] !== undefined);
}
