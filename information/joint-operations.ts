import {
  combinations,
  type JointDistribution,
  requireUnique,
  type Selection,
  selectedIndices,
  type Variable,
  variableIndex,
} from "./joint-distribution.ts";

/** Distribution of some of the variables, in the order of `names`; alphabets stay whole. O(outcomes x names). */
export function marginal(joint: JointDistribution, names: Selection): JointDistribution {
  const columns = selectedIndices(joint, names);
  return summed(
    joint,
    columns.map((column) => joint.variables[column]!),
    (outcome) => columns.map((column) => symbolIndex(joint, outcome, column)),
  );
}

/**
 * Distribution of the other variables, given symbols of some.
 *
 * @param given symbol of each variable that is fixed, by the variable's name
 * @throws RangeError for an unknown name or symbol, a condition of probability 0, or none left to describe
 */
export function conditional(joint: JointDistribution, given: Readonly<Record<string, string>>): JointDistribution {
  const fixed = Object.entries(given).map(([name, symbol]) => {
    const column = variableIndex(joint, name);
    const { symbols } = joint.variables[column]!;
    const index = symbols.indexOf(symbol);
    if (index >= 0) return { column, index };
    throw new RangeError(
      `Cannot condition on "${name}": its symbol must be one of ${symbols.join(", ")}, got "${symbol}"`,
    );
  });
  const rest = joint.variables.filter(({ name }) => !Object.hasOwn(given, name)).map(({ name }) => name);
  const chosen = [...joint.probabilities.keys()].filter((outcome) =>
    fixed.every(({ column, index }) => symbolIndex(joint, outcome, column) === index),
  );
  const total = chosen.reduce((sum, outcome) => sum + joint.probabilities[outcome]!, 0);
  if (total === 0) {
    const condition = Object.entries(given).map(([name, symbol]) => `${name} = ${symbol}`);
    throw new RangeError(`Cannot condition on ${condition.join(", ")}: its probability must be above 0, got 0`);
  }
  const width = joint.variables.length;
  const part = {
    variables: joint.variables,
    outcomes: Int32Array.from(chosen.flatMap((at) => [...joint.outcomes.subarray(at * width, (at + 1) * width)])),
    probabilities: Float64Array.from(chosen, (outcome) => joint.probabilities[outcome]! / total),
  };
  return marginal(part, rest);
}

/** Replaces a variable by a function of it (deterministic coarse-graining); symbols with one image become one. */
export function coarsen(joint: JointDistribution, name: string, image: (symbol: string) => string): JointDistribution {
  const column = variableIndex(joint, name);
  const images = joint.variables[column]!.symbols.map(image);
  const symbols = [...new Set(images)];
  const map = images.map((symbol) => symbols.indexOf(symbol));
  return summed(joint, joint.variables.with(column, { name, symbols }), (outcome) =>
    joint.variables.map((_, k) => {
      const index = symbolIndex(joint, outcome, k);
      return k === column ? map[index]! : index;
    }),
  );
}

/** Independent pair of distributions. The names must differ. O(outcomes of one x outcomes of the other). */
export function product(first: JointDistribution, second: JointDistribution): JointDistribution {
  const variables = [...first.variables, ...second.variables];
  requireUnique(
    "multiply distributions",
    "variable name",
    variables.map(({ name }) => name),
  );
  const [m, n] = [first.variables.length, second.variables.length];
  const [rows, columns] = [first.probabilities.length, second.probabilities.length];
  const outcomes = new Int32Array(rows * columns * (m + n));
  const probabilities = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = i * columns + j;
      outcomes.set(first.outcomes.subarray(i * m, (i + 1) * m), at * (m + n));
      outcomes.set(second.outcomes.subarray(j * n, (j + 1) * n), at * (m + n) + m);
      probabilities[at] = first.probabilities[i]! * second.probabilities[j]!;
    }
  }
  return { variables, outcomes, probabilities };
}

/**
 * One variable for each group, the others summed out. A group of several becomes one variable whose symbols are the
 * combinations that occur, named by joining with ", ".
 */
export function regroup(joint: JointDistribution, groups: readonly Selection[]): JointDistribution {
  const merged = groups.map((group) => mergedVariable(joint, group));
  const variables = merged.map(({ variable }) => variable);
  requireUnique(
    "group variables",
    "group",
    variables.map(({ name }) => name),
  );
  return summed(joint, variables, (outcome) => merged.map(({ indices }) => indices[outcome]!));
}

function mergedVariable(joint: JointDistribution, group: Selection): { variable: Variable; indices: Int32Array } {
  const columns = selectedIndices(joint, group);
  if (columns.length === 1) {
    const column = columns[0]!;
    const indices = joint.probabilities.map((_, outcome) => symbolIndex(joint, outcome, column));
    return { variable: joint.variables[column]!, indices: Int32Array.from(indices) };
  }
  const { labels, count } = combinations(joint, columns);
  const symbols: string[] = new Array<string>(count);
  for (const [outcome, label] of labels.entries()) {
    const parts = columns.map((column) => joint.variables[column]!.symbols[symbolIndex(joint, outcome, column)]!);
    symbols[label] ??= parts.join(", ");
  }
  return {
    variable: { name: columns.map((column) => joint.variables[column]!.name).join(", "), symbols },
    indices: labels,
  };
}

function summed(
  joint: JointDistribution,
  variables: readonly Variable[],
  indicesOf: (outcome: number) => readonly number[],
): JointDistribution {
  const width = variables.length;
  const outcomes = new Int32Array(joint.probabilities.length * width);
  for (let i = 0; i < joint.probabilities.length; i++) outcomes.set(indicesOf(i), i * width);
  const { labels, count } = combinations({ ...joint, variables, outcomes }, [...variables.keys()]);
  const probabilities = new Float64Array(count);
  const distinct = new Int32Array(count * width);
  for (const [i, label] of labels.entries()) {
    probabilities[label]! += joint.probabilities[i]!;
    distinct.set(outcomes.subarray(i * width, (i + 1) * width), label * width);
  }
  return { variables, outcomes: distinct, probabilities };
}

function symbolIndex({ variables, outcomes }: JointDistribution, outcome: number, column: number): number {
  return outcomes[outcome * variables.length + column]!;
}
