import { type Static, Type } from "typebox";

/** Contract of `cominfo info --json`: exact measures of a discrete table. Every figure is in bits. */

const observations = Type.Optional(
  Type.Integer({ minimum: 1, description: "observations; left out where a distribution was given, not a sample" }),
);
const closed = { additionalProperties: false } as const;
/** No minimum in the schema: rounding can leave a 0 at -1e-16. */
const atLeastZero = (description: string) => Type.Number({ description });

export const notComputedSchema = Type.Object(
  { notComputed: Type.String({ description: "why: the table is beyond the exact method's reach" }) },
  closed,
);

const wynerSchema = Type.Object(
  {
    bits: atLeastZero("best solution found: an upper bound, reached by an explicit common variable"),
    lowerBits: atLeastZero("proved lower bound"),
    dualBits: Type.Number({ description: "lower bound by duality, up to the accuracy of its search" }),
    upperBits: atLeastZero("what no solution exceeds"),
    gapBits: Type.Number({ description: "bits minus lowerBits, which is proved" }),
    converged: Type.Boolean(),
  },
  closed,
);

const nearlyCommonSchema = Type.Union([
  Type.Object(
    {
      bits: atLeastZero("H(f)"),
      leakBits: atLeastZero("H(f) given the other column"),
      values: Type.Integer({ minimum: 1, description: "values of f" }),
    },
    closed,
  ),
  notComputedSchema,
]);

const decompositionSchema = Type.Object(
  {
    measure: Type.Enum(["I_and", "I_GH", "I_min", "BROJA"]),
    redundantBits: Type.Number(),
    uniqueBits: Type.Array(Type.Number(), {
      minItems: 2,
      maxItems: 2,
      description: "what x alone and y alone tell",
    }),
    synergisticBits: Type.Number({ description: "what only both tell; negative values occur with I_and and I_GH" }),
    totalBits: Type.Number({ description: "I(x, y; target): the sum of the four parts" }),
    gapBits: Type.Number({ description: "how far the parts can be from their exact values, proved" }),
  },
  closed,
);

const notDecomposedSchema = Type.Object({ measure: Type.String(), notComputed: Type.String() }, closed);

export const infoReportSchema = Type.Object(
  {
    format: Type.Literal(1),
    rows: observations,
    x: Type.String({ description: "name of the first column" }),
    y: Type.String({ description: "name of the second column" }),
    target: Type.Optional(Type.String({ description: "name of the column that both tell about" })),
    entropyBits: Type.Object(
      {
        x: atLeastZero("H(x)"),
        y: atLeastZero("H(y)"),
        joint: atLeastZero("H(x, y)"),
        target: Type.Optional(atLeastZero("H(target)")),
      },
      closed,
    ),
    conditionalEntropyBits: Type.Object({ xGivenY: atLeastZero("H(x | y)"), yGivenX: atLeastZero("H(y | x)") }, closed),
    mutualInformationBits: atLeastZero("I(x; y)"),
    mutualInformationBiasBits: Type.Optional(
      atLeastZero("what these columns show on average where their rows are paired at random; none of a distribution"),
    ),
    gacsKornerBits: atLeastZero("Gacs-Korner common information"),
    gacsKornerValues: Type.Integer({ minimum: 1, description: "components of the support graph" }),
    wyner: Type.Union([wynerSchema, notComputedSchema]),
    approximate: Type.Optional(
      Type.Object(
        {
          slackBits: atLeastZero("what the other column may leave open of the function"),
          ofX: nearlyCommonSchema,
          ofY: nearlyCommonSchema,
        },
        { ...closed, description: "largest function of one column that the other nearly tells (Salamatian et al.)" },
      ),
    ),
    stochastic: Type.Optional(
      Type.Union([
        Type.Object(
          {
            weight: atLeastZero("what a bit of disagreement costs, bits"),
            objectiveBits: Type.Number({ description: "information minus weight times disagreement: a lower bound" }),
            informationBits: Type.Number(),
            disagreementBits: Type.Number(),
          },
          closed,
        ),
        notComputedSchema,
      ]),
    ),
    informationAboutTargetBits: Type.Optional(
      Type.Object(
        { x: atLeastZero("I(x; target)"), y: atLeastZero("I(y; target)"), both: atLeastZero("I(x, y; target)") },
        closed,
      ),
    ),
    decompositions: Type.Optional(
      Type.Array(Type.Union([decompositionSchema, notDecomposedSchema]), {
        description: "partial information decompositions about the target, one for each definition of redundancy",
      }),
    ),
  },
  { ...closed, $id: "info-report" },
);
export type InfoReport = Static<typeof infoReportSchema>;

/** What `cominfo info --columns --json` prints. */
export const columnsReportSchema = Type.Object(
  {
    format: Type.Literal(1),
    rows: observations,
    columns: Type.Array(Type.String(), { minItems: 2 }),
    entropyBits: Type.Array(Type.Number(), { description: "of each column" }),
    jointEntropyBits: atLeastZero("of all columns together"),
    totalCorrelationBits: atLeastZero("sum of the entropies minus the joint entropy"),
    dualTotalCorrelationBits: atLeastZero("joint entropy minus what each column keeps given all others"),
    gacsKornerBits: atLeastZero("largest common function of all columns"),
    gacsKornerValues: Type.Integer({ minimum: 1, description: "components of the support graph" }),
  },
  { ...closed, $id: "columns-report" },
);
export type ColumnsReport = Static<typeof columnsReportSchema>;
