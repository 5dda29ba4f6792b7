/** Entry of `cominfo/information`: pure functions on typed arrays, for Node and browsers. */
export { type BootstrapOptions, bootstrapDefaults, bootstrapMean } from "./bootstrap.ts";
export {
  type GaussianPrior,
  type GaussianRows,
  gaussianDisagreement,
  gaussianKl,
  gaussianRate,
} from "./gaussian-rate.ts";
export { labelCounts, labelEntropy } from "./label-entropy.ts";
export { fitLinearProbe, type LinearProbe, probeCrossEntropy, probeSettings } from "./linear-probe.ts";
export { joinColumns, type Matrix, sliceRows } from "./matrix.ts";
export { bitsPerNat } from "./units.ts";
export { type UsableInformation, usableInformation } from "./usable-information.ts";
