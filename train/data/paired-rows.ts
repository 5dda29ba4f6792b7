import { FailureError } from "../../schemas/errors.ts";
import type { Random } from "../random.ts";
import type { ImageStore } from "./image-store.ts";
import type { Factor, Minibatch, PairSource } from "./pair-source.ts";
import { assignRoles, namesOf, type Roles } from "./pairing.ts";

/** Classes of one factor for every row of a dataset, 0 .. size - 1. */
export interface FactorColumn {
  readonly name: string;
  readonly size: number;
  readonly classes: Int32Array;
}

/** Images with known factors, and how to pair them. */
export interface LabelledImages {
  /** Of the source. */
  readonly name: string;
  /** For people, what the images are. */
  readonly title: string;
  readonly images: ImageStore;
  readonly columns: readonly FactorColumn[];
  readonly roles: Roles;
  readonly provenance: Readonly<Record<string, string>>;
  /** Begins the messages of errors. */
  readonly action: string;
}

/**
 * Pairs among the rows that a dataset has, whole or a part: view 1 is any row, view 2 any row with the same common
 * factors (maybe the same one). On a full grid this is what independent uniform factors give; on a part, only
 * combinations that are present are drawn, and unique factors follow what the part has for each common combination.
 *
 * Exact information of the pair's factors: the entropy of the common combinations at the frequencies of the rows. Given
 * the combination the views are independent and any two of its rows can meet, so Gács-Körner and mutual information of the
 * labels are this one number. Images that look the same for two combinations share less.
 *
 * @throws UsageError if the roles do not fit the factors; FailureError if there are no rows or labels are of another count
 */
export function pairRows(from: LabelledImages): PairSource {
  const { images, columns, action } = from;
  for (const { name, classes } of columns) {
    if (classes.length !== images.count) {
      throw bad(action, `factor "${name}" must have ${images.count} labels, one for each image, got ${classes.length}`);
    }
  }
  if (images.count === 0) throw bad(action, "there must be at least one image, got 0");
  const factors = assignRoles(columns, from.roles, action);
  const groups = groupRows(
    columns.filter((_, k) => factors[k]!.role === "common"),
    images.count,
  );
  const bits = entropyBits(groups.counts);
  const pixels = images.height * images.width * images.channels;

  function draw(size: number, random: Random): Minibatch {
    const rows = [new Int32Array(size), new Int32Array(size)] as const;
    for (let pair = 0; pair < size; pair++) {
      const first = random.integer(images.count);
      const group = groups.of[first]!;
      rows[0][pair] = first;
      rows[1][pair] = groups.members[groups.starts[group]! + random.integer(groups.counts[group]!)]!;
    }
    const shape = [size, images.height, images.width, images.channels];
    const [view_1, view_2] = rows.map((view) => {
      const data = new Uint8Array(size * pixels);
      for (const [pair, row] of view.entries()) images.copy(row, data, pair * pixels);
      return { dtype: "uint8", shape, data } as const;
    });
    const labelsOf = (view: Int32Array): Record<string, Int32Array> =>
      Object.fromEntries(columns.map(({ name, classes }) => [name, view.map((row) => classes[row]!)]));
    return { tensors: { view_1: view_1!, view_2: view_2! }, labels: [labelsOf(rows[0]), labelsOf(rows[1])] };
  }

  const view = { height: images.height, width: images.width, channels: images.channels };
  return {
    description: {
      name: from.name,
      summary: `${from.title}: ${images.count} images, ${summaryOf(factors, groups.counts, bits)}`,
      views: [
        { name: "view_1", ...view },
        { name: "view_2", ...view },
      ],
      factors,
      commonInformationBits: bits,
      mutualInformationBits: bits,
      provenance: from.provenance,
    },
    draw,
  };
}

function summaryOf(factors: readonly Factor[], counts: Int32Array, bits: number): string {
  return (
    `common: ${namesOf(factors, "common")} (${counts.length} combinations, ${bits.toFixed(3)} bits of factor values), ` +
    `unique: ${namesOf(factors, "unique")}`
  );
}

interface Groups {
  /** Group of each row. */
  readonly of: Int32Array;
  /** Rows of each group, from its start on. */
  readonly members: Int32Array;
  readonly starts: Int32Array;
  readonly counts: Int32Array;
}

/** Rows with equal classes in all `columns` are one group; groups are numbered as they first occur. */
function groupRows(columns: readonly FactorColumn[], count: number): Groups {
  const numbers = new Map<number, number>();
  const of = new Int32Array(count);
  for (let row = 0; row < count; row++) {
    const combination = columns.reduce((index, { size, classes }) => index * size + classes[row]!, 0);
    const number = numbers.get(combination) ?? numbers.size;
    numbers.set(combination, number);
    of[row] = number;
  }
  const counts = new Int32Array(numbers.size);
  for (const group of of) counts[group]! += 1;
  const starts = new Int32Array(numbers.size);
  for (let group = 1; group < starts.length; group++) starts[group] = starts[group - 1]! + counts[group - 1]!;
  const next = starts.slice();
  const members = new Int32Array(count);
  for (const [row, group] of of.entries()) {
    members[next[group]!] = row;
    next[group]! += 1;
  }
  return { of, members, starts, counts };
}

/** Entropy in bits of the distribution with these counts. */
function entropyBits(counts: Int32Array): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  return counts.reduce((bits, count) => bits + (count / total) * Math.log2(total / count), 0);
}

function bad(action: string, what: string): FailureError {
  return new FailureError(`Cannot ${action}: ${what}`, { code: "bad_data" });
}
