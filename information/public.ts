/** Entry of `cominfo/information`: pure functions on typed arrays, for Node and browsers. */

export {
  type ApproximateGacsKorner,
  approximateGacsKorner,
  approximateGacsKornerSymbols,
  type Slack,
} from "./approximate-gacs-korner.ts";
export { type BootstrapOptions, bootstrapDefaults, bootstrapInterval, bootstrapMean } from "./bootstrap.ts";
export { barberAgakov } from "./bounds/barber-agakov.ts";
export { donskerVaradhan } from "./bounds/donsker-varadhan.ts";
export { gaussianCritic } from "./bounds/gaussian-critic.ts";
export { infoNce } from "./bounds/info-nce.ts";
export type { BoundOptions, InformationBound } from "./bounds/information-bound.ts";
export { type InterpolatedOptions, interpolatedBound } from "./bounds/interpolated-bound.ts";
export { nwj, nwjOfLogRatios } from "./bounds/nwj.ts";
export { categoricalDisagreement, categoricalDistance } from "./categorical-disagreement.ts";
export { categoricalAggregateRate, categoricalRate } from "./categorical-rate.ts";
export { chanceMutualInformationBits } from "./chance-mutual-information.ts";
export type { Classifier, FittedClassifier } from "./classifier.ts";
export {
  binaryEntropyBits,
  doublySymmetricBinary,
  goldenMean,
  type KnownPair,
  symmetricErasure,
} from "./common-information-examples.ts";
export { conditionalEntropyBits } from "./conditional-entropy.ts";
export { conditionalMutualInformationBits } from "./conditional-mutual-information.ts";
export { blockPurity } from "./disentanglement/block-purity.ts";
export { dciCompleteness } from "./disentanglement/dci-completeness.ts";
export { dciDisentanglement } from "./disentanglement/dci-disentanglement.ts";
export { dciInformativeness } from "./disentanglement/dci-informativeness.ts";
export { type Explained, explainFactors, type ImportanceMatrix } from "./disentanglement/importance-matrix.ts";
export { type MigChenOptions, migChen, migChenDefaults } from "./disentanglement/mig-chen.ts";
export { migHist20Means } from "./disentanglement/mig-hist20-means.ts";
export { sapLinearSvc } from "./disentanglement/sap-linear-svc.ts";
export type { LabelledFactor, Score } from "./disentanglement/score.ts";
export { allBlocks, type Block, type BlockInformation, usableByBlock } from "./disentanglement/usable-by-block.ts";
export { dualTotalCorrelationBits } from "./dual-total-correlation.ts";
export { entropyBits } from "./entropy.ts";
export { frechetDistance } from "./frechet-distance.ts";
export { type GacsKorner, gacsKorner } from "./gacs-korner.ts";
export { type AggregateRate, gaussianAggregateRate } from "./gaussian-aggregate-rate.ts";
export {
  type GaussianPrior,
  type GaussianRows,
  gaussianDisagreement,
  gaussianKl,
  gaussianRate,
} from "./gaussian-rate.ts";
export { drawGaussian } from "./gaussian-sample.ts";
export {
  gaussianTotalCorrelation,
  type TotalCorrelationEstimate,
  type TotalCorrelationEstimator,
  type TotalCorrelationOptions,
} from "./gaussian-total-correlation.ts";
export { gaussianTotalCorrelationBounds, type TotalCorrelationBounds } from "./gaussian-total-correlation-bounds.ts";
export {
  type BoostedTrees,
  type BoostingSettings,
  boostedLogProbabilities,
  boostingSettings,
  fitBoostedTrees,
  gradientBoosting,
} from "./gradient-boosting.ts";
export {
  type JointDistribution,
  jointFromCounts,
  jointFromOutcomes,
  jointFromRows,
  jointFromTable,
  type Selection,
  sumTolerance,
  type Variable,
} from "./joint-distribution.ts";
export { coarsen, conditional, marginal, product, regroup } from "./joint-operations.ts";
export { labelCounts, labelEntropy } from "./label-entropy.ts";
export {
  fitLinearProbe,
  type LinearProbe,
  linearProbe,
  probeCrossEntropy,
  probeLogProbabilities,
  probeSettings,
} from "./linear-probe.ts";
export { joinColumns, type Matrix, sliceRows } from "./matrix.ts";
export { mostWeight } from "./most-weight.ts";
export { mutualInformationBits } from "./mutual-information.ts";
export {
  type PartialInformation,
  partialInformation,
  type RedundancyMeasure,
  redundancyMeasures,
} from "./partial-information.ts";
export { type Random, stream } from "./random.ts";
export { redundancyAndBits, type SourcesAndTarget } from "./redundancy-and.ts";
export { type Broja, brojaLimits, redundancyBroja } from "./redundancy-broja.ts";
export {
  andTask,
  imperfectRedundancyTask,
  redundantXorTask,
  uniqueTask,
  xorTask,
} from "./redundancy-examples.ts";
export { griffithHoLimits, redundancyGriffithHoBits } from "./redundancy-griffith-ho.ts";
export { redundancyMinimumBits } from "./redundancy-minimum.ts";
export {
  type StochasticGacsKorner,
  type StochasticGacsKornerOptions,
  stochasticGacsKorner,
} from "./stochastic-gacs-korner.ts";
export { type SymmetricEigen, symmetricEigen } from "./symmetric-eigen.ts";
export { totalCorrelationBits } from "./total-correlation.ts";
export { bitsPerNat } from "./units.ts";
export { type UsableInformation, type UsableInformationOptions, usableInformation } from "./usable-information.ts";
export {
  type Wyner,
  type WynerOptions,
  type WynerSymbol,
  wynerCells,
  wynerCommonInformation,
  wynerDefaults,
} from "./wyner.ts";
