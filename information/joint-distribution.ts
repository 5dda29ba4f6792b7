/** One variable of a joint distribution. */
export interface Variable {
  readonly name: string;
  /** Its alphabet. A symbol may have probability 0. */
  readonly symbols: readonly string[];
}

/**
 * Joint distribution of finitely many variables with finite alphabets. Only outcomes of positive probability are kept,
 * so a table may have far more cells than fit into memory. Made by the functions of this file, never by hand.
 */
export interface JointDistribution {
  readonly variables: readonly Variable[];
  /** [outcomes, variables] row-major: index of each variable's symbol. No outcome occurs twice. */
  readonly outcomes: Int32Array;
  /** [outcomes], each above 0; they sum to 1 within `sumTolerance`. */
  readonly probabilities: Float64Array;
}

/** One or several variables, by name; several count as one variable whose symbols are their combinations. */
export type Selection = string | readonly string[];

/** How far from 1 a sum of probabilities may be. Nothing is renormalised: a wrong sum is a wrong table. */
export const sumTolerance = 1e-9;

/**
 * From a full table of probabilities.
 *
 * @param probabilities row-major, the last variable fastest
 * @throws RangeError for a wrong number of cells, a cell that is negative or not finite (named), or a sum that is not 1
 */
export function jointFromTable(variables: readonly Variable[], probabilities: ArrayLike<number>): JointDistribution {
  const table = requireCells(variables, probabilities, "probabilities");
  requireSum(table.probabilities);
  return table;
}

/**
 * Empirical distribution of a full table of counts (plug-in: relative frequencies).
 *
 * @param counts row-major, the last variable fastest; not negative, at least one above 0, not necessarily whole. One whose
 *   share is too small for float64 is dropped
 * @throws RangeError as `jointFromTable`, and where all counts are 0
 */
export function jointFromCounts(variables: readonly Variable[], counts: ArrayLike<number>): JointDistribution {
  const table = requireCells(variables, counts, "counts");
  return normalised(table, "at least one count must be above 0, got none");
}

/**
 * Empirical distribution of rows of symbols (plug-in: relative frequencies). Information between variables is then too
 * high: see `chanceMutualInformationBits` for what independent ones would show.
 *
 * @param names one for each column
 * @param rows symbols; an alphabet holds those that occur, in the order of their first occurrence
 * @param weights what each row stands for: how often it occurred, or its probability; left out, each occurred once
 * @throws RangeError for no row, a row of another length, or a weight that is negative or not finite (named)
 */
export function jointFromRows(
  names: readonly string[],
  rows: Iterable<readonly (string | number)[]>,
  weights?: ArrayLike<number>,
): JointDistribution {
  const reader = symbolReader("read rows", names);
  const counts = new Map<string, number>();
  let row = 0;
  for (const symbols of rows) {
    const key = reader.indices(symbols, `row ${row}`).join();
    const weight = weights === undefined ? 1 : requireProbability(`the weight of row ${row}`, weights[row]!);
    counts.set(key, (counts.get(key) ?? 0) + weight);
    row++;
  }
  const wanted = weights === undefined ? "there must be at least one row" : "at least one weight must be above 0";
  return normalised(fromKeys(reader.variables, counts), `${wanted}, got none`);
}

/**
 * From the outcomes that can happen, each with its probability.
 *
 *     jointFromOutcomes(["x", "y"], [[["a", 0], 0.5], [["b", 1], 0.5]])
 *
 * @throws RangeError for an outcome that is listed twice, is negative or not finite (named), or a sum that is not 1
 */
export function jointFromOutcomes(
  names: readonly string[],
  outcomes: Iterable<readonly [readonly (string | number)[], number]>,
): JointDistribution {
  const action = "make a joint distribution";
  const reader = symbolReader(action, names);
  const listed = new Map<string, number>();
  for (const [symbols, probability] of outcomes) {
    const place = `outcome (${symbols.join(", ")})`;
    const key = reader.indices(symbols, place).join();
    if (listed.has(key)) throw new RangeError(`Cannot ${action}: ${place} must be listed once, got it twice`);
    listed.set(key, requireProbability(place, probability));
  }
  const joint = fromKeys(reader.variables, listed);
  requireSum(joint.probabilities);
  return joint;
}

/** Index of the variable named `name`. @throws RangeError if there is none */
export function variableIndex(joint: JointDistribution, name: string): number {
  const at = joint.variables.findIndex((variable) => variable.name === name);
  if (at < 0) {
    const known = joint.variables.map((variable) => variable.name).join(", ");
    throw new RangeError(`Cannot find a variable: its name must be one of ${known}, got "${name}"`);
  }
  return at;
}

/** Indices of the variables of a selection, in its order. @throws RangeError for none, an unknown or a repeated name */
export function selectedIndices(joint: JointDistribution, selection: Selection): number[] {
  const names = typeof selection === "string" ? [selection] : selection;
  if (names.length === 0) throw new RangeError("Cannot select variables: there must be at least one name, got none");
  requireUnique("select variables", "name", names);
  return names.map((name) => variableIndex(joint, name));
}

/**
 * Which combination of the symbols of `columns` each outcome holds: labels 0 .. count - 1 in the order of their first
 * occurrence. O(outcomes x columns).
 */
export function combinations(
  { variables, outcomes, probabilities }: JointDistribution,
  columns: readonly number[],
): { readonly labels: Int32Array; readonly count: number } {
  const width = variables.length;
  const labels = new Int32Array(probabilities.length);
  let count = 1;
  for (const column of columns) {
    // Relabelled after each column, so that keys stay below outcomes x alphabet and exact.
    const size = variables[column]!.symbols.length;
    const seen = new Map<number, number>();
    for (let i = 0; i < labels.length; i++) {
      const key = labels[i]! * size + outcomes[i * width + column]!;
      let label = seen.get(key);
      if (label === undefined) {
        label = seen.size;
        seen.set(key, label);
      }
      labels[i] = label;
    }
    count = seen.size;
  }
  return { labels, count };
}

/** @throws RangeError if a text occurs twice */
export function requireUnique(action: string, thing: string, names: readonly string[]): void {
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined)
    throw new RangeError(`Cannot ${action}: every ${thing} must occur once, got "${twice}" twice`);
}

function requireCells(variables: readonly Variable[], values: ArrayLike<number>, name: string): JointDistribution {
  const action = "make a joint distribution";
  requireVariables(action, variables);
  const cells = variables.reduce((product, { symbols }) => product * symbols.length, 1);
  if (values.length !== cells) {
    const sizes = variables.map(({ symbols }) => symbols.length).join(" x ");
    throw new RangeError(`Cannot ${action}: "${name}" must hold ${sizes} = ${cells} cells, got ${values.length}`);
  }
  const outcomes: number[] = [];
  const probabilities: number[] = [];
  for (let at = 0; at < cells; at++) {
    const indices = cellIndices(variables, at);
    const cell = variables.map(({ name: variable, symbols }, k) => `${variable} = ${symbols[indices[k]!]}`).join(", ");
    if (requireProbability(`cell (${cell})`, values[at]!) === 0) continue;
    outcomes.push(...indices);
    probabilities.push(values[at]!);
  }
  return { variables, outcomes: Int32Array.from(outcomes), probabilities: Float64Array.from(probabilities) };
}

function cellIndices(variables: readonly Variable[], cell: number): number[] {
  let rest = cell;
  return variables
    .toReversed()
    .map(({ symbols }) => {
      const index = rest % symbols.length;
      rest = (rest - index) / symbols.length;
      return index;
    })
    .reverse();
}

/** Turns symbols into indices and collects the alphabets on the way. */
function symbolReader(action: string, names: readonly string[]) {
  const alphabets = names.map(() => new Map<string, number>());
  const variables = names.map((name, k) => ({
    name,
    get symbols() {
      return [...alphabets[k]!.keys()];
    },
  }));
  if (names.length === 0) throw new RangeError(`Cannot ${action}: there must be at least one variable, got none`);
  requireUnique(action, "variable name", names);
  return {
    get variables(): Variable[] {
      return variables.map(({ name, symbols }) => ({ name, symbols }));
    },
    indices(symbols: readonly (string | number)[], place: string): number[] {
      if (symbols.length !== names.length) {
        const wanted = `${names.length} symbols (${names.join(", ")})`;
        throw new RangeError(`Cannot ${action}: ${place} must have ${wanted}, got ${symbols.length}`);
      }
      return symbols.map((symbol, k) => {
        const alphabet = alphabets[k]!;
        const text = String(symbol);
        if (!alphabet.has(text)) alphabet.set(text, alphabet.size);
        return alphabet.get(text)!;
      });
    },
  };
}

function fromKeys(variables: readonly Variable[], weights: ReadonlyMap<string, number>): JointDistribution {
  const positive = [...weights].filter(([, weight]) => weight > 0);
  return {
    variables,
    outcomes: Int32Array.from(positive.flatMap(([key]) => key.split(",").map(Number))),
    probabilities: Float64Array.from(positive, ([, weight]) => weight),
  };
}

function normalised(joint: JointDistribution, wanted: string): JointDistribution {
  let counts = joint.probabilities;
  let total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) throw new RangeError(`Cannot make a joint distribution: ${wanted}`);
  if (total === Number.POSITIVE_INFINITY) {
    // Finite counts whose sum is beyond float64: in units of the largest.
    const largest = counts.reduce((most, count) => Math.max(most, count), 0);
    counts = counts.map((count) => count / largest);
    total = counts.reduce((sum, count) => sum + count, 0);
  }
  const probabilities = counts.map((count) => count / total);
  // A share too small for float64 is an outcome that does not happen: entropies take the logarithm of every other.
  const kept = [...probabilities.keys()].filter((at) => probabilities[at]! > 0);
  if (kept.length === probabilities.length) return { ...joint, probabilities };
  const width = joint.variables.length;
  return {
    variables: joint.variables,
    outcomes: Int32Array.from(kept.flatMap((at) => [...joint.outcomes.subarray(at * width, (at + 1) * width)])),
    probabilities: Float64Array.from(kept, (at) => probabilities[at]!),
  };
}

function requireVariables(action: string, variables: readonly Variable[]): void {
  if (variables.length === 0) throw new RangeError(`Cannot ${action}: there must be at least one variable, got none`);
  requireUnique(
    action,
    "variable name",
    variables.map(({ name }) => name),
  );
  for (const { name, symbols } of variables) {
    if (symbols.length === 0) throw new RangeError(`Cannot ${action}: "${name}" must have a symbol, got none`);
    requireUnique(action, `symbol of "${name}"`, symbols);
  }
}

function requireProbability(place: string, value: number): number {
  if (Number.isFinite(value) && value >= 0) return value;
  throw new RangeError(`Cannot make a joint distribution: ${place} must be finite and not negative, got ${value}`);
}

function requireSum(probabilities: Float64Array): void {
  const sum = probabilities.reduce((total, value) => total + value, 0);
  if (Math.abs(sum - 1) <= sumTolerance) return;
  throw new RangeError(`Cannot make a joint distribution: the probabilities must sum to 1, got ${sum}`);
}
