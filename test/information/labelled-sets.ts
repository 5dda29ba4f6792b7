import type { Matrix } from "../../information/matrix.ts";
import { stream } from "../../train/random.ts";

export interface LabelledSet {
  readonly features: Matrix;
  readonly labels: Int32Array;
  readonly classes: number;
  readonly train: number;
}

/** Rows of features and a label, in one place so that reference values of other programs can be had for the same rows. */
function build(
  name: string,
  { rows, train, classes, columns }: { rows: number; train: number; classes: number; columns: number },
  row: (label: number, random: ReturnType<typeof stream>) => readonly number[],
): LabelledSet {
  const random = stream(3, "labelled set", name);
  const labels = Int32Array.from({ length: rows }, () => random.integer(classes));
  const values = new Float64Array(rows * columns);
  // float32, as scikit-learn's trees read them
  for (const [i, label] of labels.entries()) values.set(row(label, random).map(Math.fround), i * columns);
  return { features: { rows, columns, values }, labels, classes, train };
}

/** Ten classes on a circle, blurred until neighbours overlap, among three columns of noise. */
export function circleSet(rows = 3000, train = 2000, columns = 5): LabelledSet {
  return build("circle", { rows, train, classes: 10, columns }, (label, random) => {
    const angle = (2 * Math.PI * label) / 10;
    const noise = Array.from({ length: columns - 2 }, () => random.normal());
    return [Math.cos(angle) + 0.2 * random.normal(), Math.sin(angle) + 0.2 * random.normal(), ...noise];
  });
}

/** Two classes told apart by the sign of a product: no single feature knows anything. */
export function crossSet(): LabelledSet {
  return build("cross", { rows: 3000, train: 2000, classes: 2, columns: 3 }, (label, random) => {
    const first = random.normal();
    const second = Math.abs(random.normal()) * Math.sign(first) * (label === 1 ? 1 : -1);
    return [first + 0.3 * random.normal(), second + 0.3 * random.normal(), random.normal()];
  });
}

/** Three classes seen through whole numbers that are wrong in a third of the rows. */
export function countSet(): LabelledSet {
  return build("count", { rows: 3000, train: 2000, classes: 3, columns: 4 }, (label, random) => {
    const shown = random.uniform() < 1 / 3 ? random.integer(3) : label;
    return [shown, (label + random.integer(4)) % 6, random.integer(7), random.integer(2) * label];
  });
}
