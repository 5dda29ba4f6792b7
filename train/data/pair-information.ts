/** What the two parts of a pair share, in bits. */
export interface PairInformation {
  readonly mutualBits: number;
  readonly gacsKornerBits: number;
}

/**
 * Exact information of a pair with joint probabilities `joint[first][second]`. Both figures add over independent
 * factors; for Gács-Körner because the product of connected supports is connected.
 */
export function pairInformation(joint: readonly (readonly number[])[]): PairInformation {
  const cells = joint.flatMap((row, first) => row.map((mass, second) => ({ first, second, mass })));
  return cellInformation(cells.filter(({ mass }) => mass > 0));
}

/** A pair of values with its probability. */
export interface PairCell {
  readonly first: number;
  readonly second: number;
  readonly mass: number;
}

/**
 * Exact information of a pair that is given by its cells, each pair of values once.
 *
 * Gács-Körner: entropy of the connected component that the pair is in, components of the graph that joins the values
 * that can occur together (Gács & Körner 1973). Mutual information: its definition.
 */
export function cellInformation(cells: readonly PairCell[]): PairInformation {
  const firsts = new Map<number, number>();
  const seconds = new Map<number, number>();
  const parent = new Map<number, number>(); // of second values; joined where one first value occurs with both
  const anchor = new Map<number, number>(); // a second value that occurs with the first one
  const rootOf = (value: number): number => {
    let root = value;
    while (parent.get(root) !== root) root = parent.get(root)!;
    parent.set(value, root);
    return root;
  };
  for (const { first, second, mass } of cells) {
    firsts.set(first, (firsts.get(first) ?? 0) + mass);
    seconds.set(second, (seconds.get(second) ?? 0) + mass);
    if (!parent.has(second)) parent.set(second, second);
    const joined = anchor.get(first);
    if (joined === undefined) anchor.set(first, second);
    else parent.set(rootOf(second), rootOf(joined));
  }
  const components = new Map<number, number>();
  for (const [second, mass] of seconds) {
    components.set(rootOf(second), (components.get(rootOf(second)) ?? 0) + mass);
  }
  return {
    mutualBits: cells.reduce(
      (bits, { first, second, mass }) => bits + mass * Math.log2(mass / (firsts.get(first)! * seconds.get(second)!)),
      0,
    ),
    gacsKornerBits: [...components.values()].reduce((bits, mass) => bits - mass * Math.log2(mass), 0),
  };
}
