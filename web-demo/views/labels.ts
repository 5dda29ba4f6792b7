import type { Manifest } from "../../schemas/manifest.ts";
import type { Model } from "../model/model.ts";
import type { Labels, Sample } from "../model/sample.ts";

type Factors = Manifest["data"]["factors"];

/** What the labels say of one picture: `label 3, rotation 7`. */
export function labelText(factors: Factors, labels: Labels, pair: number): string {
  return factors
    .filter(({ name }) => labels[name] !== undefined)
    .map(({ name }) => `${name.replaceAll("_", " ")} ${labels[name]![pair]}`)
    .join(", ");
}

/** Where the pairs of a view are from: follows "Data:". */
export function dataText({ manifest }: Model, { generated }: Sample): string {
  return generated ? "this bundle brings none, and the pairs are drawn by the model itself" : manifest.data.summary;
}

/** Factors of which the sample has labels. */
export function labelled(factors: Factors, labels: Labels): Factors[number][] {
  return factors.filter(({ name }) => labels[name] !== undefined);
}
