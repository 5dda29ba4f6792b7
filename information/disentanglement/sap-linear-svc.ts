import { labelCounts } from "../label-entropy.ts";
import { type Matrix, requireMatrix } from "../matrix.ts";
import { gapIntervals } from "./gap-intervals.ts";
import { type LabelledFactor, meanGap, requireFactors, type Score, type ScoreOptions } from "./score.ts";

/** disentanglement_lib's LinearSVC(C=0.01, class_weight="balanced"). */
const penalty = 0.01;

/**
 * Separated attribute predictability for discrete factors, as disentanglement_lib computes it: the accuracy with which
 * a linear support vector classifier tells a factor's classes apart from one latent alone, and for each factor the gap
 * between the two best latents, averaged.
 *
 * Squared hinge, one class against the rest, the intercept penalised as a weight is, classes balanced: the problem that
 * liblinear solves, here to its minimum. On one latent it can tell two classes apart, or the two ends of an order; with
 * more classes accuracies, and so the score, stay small even for a perfect code. Depends on the latents' scale.
 *
 * Source: Kumar et al. 2018, https://openreview.net/forum?id=H1kG7GZAW, section 3; disentanglement_lib with
 * continuous_factors = False
 *
 * @param codes [rows, latents], posterior means
 * @param train how many rows, from the front, the classifiers are fitted on; the rest are scored
 * @returns between 0 and 1, 0 where no latent varies; `parts` by factor
 * @throws RangeError for fewer than 2 latents, a factor that does not vary, fewer rows than classes, or rows that differ
 */
export function sapLinearSvc(
  codes: Matrix,
  factors: readonly LabelledFactor[],
  { train, bootstrap }: ScoreOptions & { train: number },
): Score {
  const action = "compute sap-linear-svc";
  requireMatrix(action, "codes", codes);
  const { rows, columns } = codes;
  if (!(Number.isInteger(train) && train > 0 && train < rows)) {
    throw new RangeError(`Cannot ${action}: "train" must be 1 .. ${rows - 1}, got ${train}`);
  }
  requireFactors(action, codes, factors);
  const front = factors.map((factor) => ({ ...factor, labels: factor.labels.subarray(0, train) }));
  requireFactors(action, { rows: train, columns }, front);
  const hits: Float64Array[] = [];
  for (let j = 0; j < columns; j++) {
    const code = Float64Array.from({ length: rows }, (_, i) => codes.values[i * columns + j]!);
    for (const { labels, classes } of factors) {
      const lines = fitLines(code.subarray(0, train), labels.subarray(0, train), classes);
      hits.push(Float64Array.from(code.subarray(train), (z, i) => (predict(lines, z) === labels[train + i] ? 1 : 0)));
    }
  }
  const values = Float64Array.from(hits, (rights) => rights.reduce((sum, right) => sum + right, 0) / rights.length);
  const gap = meanGap({ rows: columns, columns: factors.length, values });
  const definition = "sap-linear-svc (test accuracy of LinearSVC on one latent, C 0.01, balanced, disentanglement_lib)";
  if (bootstrap === undefined) return { ...gap, definition };
  return { ...gap, definition, ...gapIntervals(hits, { latents: columns, factors: factors.length }, bootstrap) };
}

/** Decision weight * code + bias for one class. */
interface Line {
  readonly label: number;
  readonly weight: number;
  readonly bias: number;
}

/** A line for each class that occurs; with two of them, one line and its negative. */
function fitLines(code: Float64Array, labels: Int32Array, classes: number): Line[] {
  const counts = labelCounts(labels, classes);
  const present = Array.from(counts.keys()).filter((label) => counts[label]! > 0);
  const balance = (label: number) => labels.length / (present.length * counts[label]!);
  if (present.length === 2) {
    const [first, second] = present as [number, number];
    const line = fitLine(code, labels, { label: second, positive: balance(second), negative: balance(first) });
    return [{ label: first, weight: -line.weight, bias: -line.bias }, line];
  }
  return present.map((label) => fitLine(code, labels, { label, positive: balance(label), negative: 1 }));
}

/**
 * Minimum of 1/2 (w^2 + b^2) + C sum_i c_i max(0, 1 - s_i (w x_i + b))^2, divided by C times the rows. The loss is
 * quadratic as long as the same rows miss their margin, so Newton's steps end at the minimum after a few.
 */
function fitLine(code: Float64Array, labels: Int32Array, task: LineTask): Line {
  const start = { weight: 0, bias: 0 };
  let at = evaluateLine(code, labels, { ...task, ...start });
  let line = start;
  for (let step = 0; step < 100; step++) {
    const determinant = at.curvature[0] * at.curvature[2] - at.curvature[1] ** 2;
    const weightStep = (at.curvature[2] * at.slope[0] - at.curvature[1] * at.slope[1]) / determinant;
    const biasStep = (at.curvature[0] * at.slope[1] - at.curvature[1] * at.slope[0]) / determinant;
    let length = 1;
    let next = at;
    let nextLine = line;
    do {
      nextLine = { weight: line.weight - length * weightStep, bias: line.bias - length * biasStep };
      next = evaluateLine(code, labels, { ...task, ...nextLine });
      length /= 2;
    } while (next.loss > at.loss && length > 1e-9);
    if (!(next.loss < at.loss)) break;
    line = nextLine;
    at = next;
  }
  return { label: task.label, ...line };
}

interface LineTask {
  readonly label: number;
  /** Weights c_i of the class's rows, and of the others. */
  readonly positive: number;
  readonly negative: number;
}

/** Loss with its derivatives by weight and bias: slope, and curvature as [ww, wb, bb]. */
function evaluateLine(
  code: Float64Array,
  labels: Int32Array,
  { label, positive, negative, weight, bias }: LineTask & { weight: number; bias: number },
): { loss: number; slope: readonly [number, number]; curvature: readonly [number, number, number] } {
  const rows = code.length;
  const ridge = 1 / (penalty * rows);
  let [loss, byWeight, byBias, ww, wb, bb] = [0, 0, 0, 0, 0, 0];
  for (let i = 0; i < rows; i++) {
    const own = labels[i] === label;
    const sign = own ? 1 : -1;
    const value = code[i]!;
    const missing = 1 - sign * (weight * value + bias);
    if (missing <= 0) continue;
    const cost = own ? positive : negative;
    loss += cost * missing * missing;
    byWeight -= cost * missing * sign * value;
    byBias -= cost * missing * sign;
    ww += cost * value * value;
    wb += cost * value;
    bb += cost;
  }
  const share = 2 / rows;
  return {
    loss: (ridge / 2) * (weight * weight + bias * bias) + loss / rows,
    slope: [ridge * weight + share * byWeight, ridge * bias + share * byBias],
    curvature: [ridge + share * ww, share * wb, ridge + share * bb],
  };
}

/** Class of the highest line, the first of equals. */
function predict(lines: readonly Line[], code: number): number {
  const height = ({ weight, bias }: Line) => weight * code + bias;
  return lines.reduce((best, line) => (height(line) > height(best) ? line : best)).label;
}
