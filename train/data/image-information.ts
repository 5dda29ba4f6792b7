/** What the two images of a pair share, in bits. Both are at most the entropy of the common factors. */
export interface ImageInformation {
  /** Shannon's mutual information of the two images. */
  readonly mutualBits: number;
  /** Gács-Körner common information: what both images tell without ever an error. At most the mutual information. */
  readonly gacsKornerBits: number;
}

/** For one image: how many combinations of unique factors give it, by combination of common factors. */
type Givers = Map<number, number>;

/**
 * Exact information between the two images of a pair, by looking at every image once. It is below the entropy of the
 * common factors where an image fits several of their values.
 *
 * `image(common, unique)` is a key that only equal images share, for combination `common` of `commons` of the common
 * factors and `unique` of `uniques` of the unique ones. All are equally likely, and the views are independent given
 * the common one.
 *
 * Gács-Körner: combinations that can give the same image merge, as no function of one view tells them apart; the
 * figure is the entropy of the merged classes (Gács & Körner 1973: connected components of the joint support).
 * Mutual information: what an image says of the common factors is its vector of counts, so images with equal vectors
 * are one symbol, and the sum over pairs of symbols is short.
 */
export function imageInformation(
  commons: number,
  uniques: number,
  image: (common: number, unique: number) => number | string,
): ImageInformation {
  const images = new Map<number | string, Givers>();
  for (let common = 0; common < commons; common++) {
    for (let unique = 0; unique < uniques; unique++) {
      const key = image(common, unique);
      const givers: Givers = images.get(key) ?? new Map();
      images.set(key, givers.set(common, (givers.get(common) ?? 0) + 1));
    }
  }
  const all = [...images.values()];
  return { mutualBits: mutualBits(symbols(all, commons * uniques), commons), gacsKornerBits: mergedBits(all, commons) };
}

function mergedBits(images: readonly Givers[], commons: number): number {
  const parent = Array.from({ length: commons }, (_, common) => common);
  const rootOf = (common: number): number => {
    let at = common;
    while (parent[at] !== at) at = parent[at]!;
    return at;
  };
  for (const givers of images) {
    const [first, ...others] = givers.keys();
    for (const other of others) parent[rootOf(other)] = rootOf(first!);
  }
  const sizes = new Map<number, number>();
  for (const common of parent.keys()) sizes.set(rootOf(common), (sizes.get(rootOf(common)) ?? 0) + 1);
  return [...sizes.values()].reduce((bits, size) => bits - (size / commons) * Math.log2(size / commons), 0);
}

/** Joint probability of symbol and common combination: one map per symbol. */
function symbols(images: readonly Givers[], combinations: number): Givers[] {
  const merged = new Map<string, Givers>();
  for (const givers of images) {
    const name = [...givers].flat().join();
    const symbol: Givers = merged.get(name) ?? new Map();
    for (const [common, count] of givers) symbol.set(common, (symbol.get(common) ?? 0) + count / combinations);
    merged.set(name, symbol);
  }
  return [...merged.values()];
}

/** I(S1; S2) for two symbols that are independent given the common combination, which is uniform. */
function mutualBits(joint: readonly Givers[], commons: number): number {
  const givenCommon: { symbol: number; mass: number }[][] = Array.from({ length: commons }, () => []);
  const marginal = joint.map((givers, symbol) => {
    for (const [common, mass] of givers) givenCommon[common]!.push({ symbol, mass });
    return [...givers.values()].reduce((sum, mass) => sum + mass, 0);
  });
  const pairs = new Map<number, number>();
  for (const row of givenCommon) {
    for (const first of row) {
      for (const second of row) {
        const pair = first.symbol * joint.length + second.symbol;
        pairs.set(pair, (pairs.get(pair) ?? 0) + first.mass * second.mass * commons);
      }
    }
  }
  return [...pairs].reduce((bits, [pair, mass]) => {
    const [first, second] = [Math.floor(pair / joint.length), pair % joint.length];
    return bits + mass * Math.log2(mass / (marginal[first]! * marginal[second]!));
  }, 0);
}
