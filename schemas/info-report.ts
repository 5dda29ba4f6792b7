import { type Static, Type } from "typebox";

/** Contract of `cominfo info --json`: exact measures of the rows of a table. Every figure is in bits. */

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
    gapBits: Type.Number({ description: "bits minus the highest lower bound" }),
    converged: Type.Boolean(),
  },
  closed,
);

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
    rows: Type.Integer({ minimum: 1 }),
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
    mutualInformationBits: atLeastZero("I(x; y) of the rows' relative frequencies"),
    mutualInformationBiasBits: atLeastZero("what independent columns would show on average with so few rows"),
    gacsKornerBits: atLeastZero("Gacs-Korner common information"),
    gacsKornerValues: Type.Integer({ minimum: 1, description: "components of the support graph" }),
    wyner: Type.Union([wynerSchema, notComputedSchema]),
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
