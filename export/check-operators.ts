import type { Dtype } from "../schemas/tensor.ts";

/**
 * The operators of the default ONNX domain that the checker knows: all that the kernels record, and their relatives.
 *
 * A line reads `inputs > outputs | attributes`. A letter is a class of element types, and the same letter means the
 * same type: F float32, B bool, L int64, I int32 or int64, P float32 or uint8, S signed (float32, int32, int64),
 * N number (S and uint8), A any; a digit tells a second one apart. `?` is optional, `...` any number, `!` a required
 * attribute; `@18` is known since opset 18, `@-17` until opset 17.
 *
 * Source: the schemas of onnx 1.12 (opset 17) and, for the marks, the change log of the operators up to opset 21.
 */
const signatures = {
  Abs: "N > N",
  Acos: "F > F",
  Acosh: "F > F",
  Add: "N N > N",
  And: "B B > B",
  ArgMax: "N > L | axis:int keepdims:int select_last_index:int",
  ArgMin: "N > L | axis:int keepdims:int select_last_index:int",
  Asin: "F > F",
  Asinh: "F > F",
  Atan: "F > F",
  Atanh: "F > F",
  AveragePool:
    "F > F | auto_pad:string ceil_mode:int count_include_pad:int dilations:ints@19 kernel_shape:ints! pads:ints strides:ints",
  BatchNormalization: "F F F F F > F F? F? | epsilon:float momentum:float training_mode:int@14",
  Cast: "A > A2 | saturate:int@19 to:int!",
  Ceil: "F > F",
  Clip: "N N? N? > N",
  Concat: "A... > A | axis:int!",
  ConstantOfShape: "L > A | value:tensor",
  Conv: "F F F? > F | auto_pad:string dilations:ints group:int kernel_shape:ints pads:ints strides:ints",
  ConvTranspose:
    "F F F? > F | auto_pad:string dilations:ints group:int kernel_shape:ints output_padding:ints output_shape:ints pads:ints strides:ints",
  Cos: "F > F",
  Cosh: "F > F",
  CumSum: "S I > S | exclusive:int reverse:int",
  DepthToSpace: "A > A | blocksize:int! mode:string",
  Div: "N N > N",
  Einsum: "N... > N | equation:string!",
  Elu: "F > F | alpha:float",
  Equal: "A A > B",
  Erf: "N > N",
  Exp: "F > F",
  Expand: "A L > A",
  Flatten: "A > A | axis:int",
  Floor: "F > F",
  Gather: "A I > A | axis:int",
  GatherElements: "A I > A | axis:int",
  GatherND: "A L > A | batch_dims:int",
  Gemm: "S S S? > S | alpha:float beta:float transA:int transB:int",
  GlobalAveragePool: "F > F",
  Greater: "N N > B",
  GreaterOrEqual: "N N > B",
  HardSigmoid: "F > F | alpha:float beta:float",
  Identity: "A > A",
  IsInf: "F > B | detect_negative:int detect_positive:int",
  IsNaN: "F > B",
  LeakyRelu: "F > F | alpha:float",
  Less: "N N > B",
  LessOrEqual: "N N > B",
  Log: "F > F",
  LogSoftmax: "F > F | axis:int",
  LRN: "F > F | alpha:float beta:float bias:float size:int!",
  MatMul: "S S > S",
  Max: "N... > N",
  MaxPool:
    "P > P L? | auto_pad:string ceil_mode:int dilations:ints kernel_shape:ints! pads:ints storage_order:int strides:ints",
  Min: "N... > N",
  Mod: "N N > N | fmod:int",
  Mul: "N N > N",
  Neg: "S > S",
  Not: "B > B",
  OneHot: "N N2 A > A | axis:int",
  Or: "B B > B",
  PRelu: "S S > S",
  Pad: "A L A? I?@18 > A | mode:string",
  Pow: "S N > S",
  Range: "S S S > S",
  Reciprocal: "F > F",
  ReduceLogSumExp: "S L?@18 > S | axes:ints@-17 keepdims:int noop_with_empty_axes:int@18",
  ReduceMax: "N L?@18 > N | axes:ints@-17 keepdims:int noop_with_empty_axes:int@18",
  ReduceMean: "S L?@18 > S | axes:ints@-17 keepdims:int noop_with_empty_axes:int@18",
  ReduceMin: "N L?@18 > N | axes:ints@-17 keepdims:int noop_with_empty_axes:int@18",
  ReduceProd: "S L?@18 > S | axes:ints@-17 keepdims:int noop_with_empty_axes:int@18",
  ReduceSum: "S L? > S | keepdims:int noop_with_empty_axes:int",
  ReduceSumSquare: "S L?@18 > S | axes:ints@-17 keepdims:int noop_with_empty_axes:int@18",
  Relu: "S > S",
  Reshape: "A L > A | allowzero:int@14",
  Resize:
    "A F? F? L? > A | antialias:int@18 axes:ints@18 coordinate_transformation_mode:string cubic_coeff_a:float exclude_outside:int extrapolation_value:float keep_aspect_ratio_policy:string@18 mode:string nearest_mode:string",
  Round: "F > F",
  ScatterElements: "A I A > A | axis:int reduction:string@16",
  ScatterND: "A L A > A | reduction:string@16",
  Selu: "F > F | alpha:float gamma:float",
  Shape: "A > L | end:int@15 start:int@15",
  Sigmoid: "F > F",
  Sign: "N > N",
  Sin: "F > F",
  Sinh: "F > F",
  Size: "A > L",
  Slice: "A I I I? I? > A",
  Softmax: "F > F | axis:int",
  Softplus: "F > F",
  Softsign: "F > F",
  SpaceToDepth: "A > A | blocksize:int!",
  Split: "A L? > A... | axis:int num_outputs:int@18",
  Sqrt: "F > F",
  Squeeze: "A L? > A",
  Sub: "N N > N",
  Tan: "F > F",
  Tanh: "F > F",
  ThresholdedRelu: "F > F | alpha:float",
  Tile: "A L > A",
  TopK: "N L > N L | axis:int largest:int sorted:int",
  Transpose: "A > A | perm:ints",
  Unsqueeze: "A L > A",
  Where: "B A A > A",
  Xor: "B B > B",
} as const;

export type OperatorName = keyof typeof signatures;

export interface Parameter {
  /** Class of element types, or a name that is bound to one. */
  readonly type: string;
  readonly optional: boolean;
  readonly variadic: boolean;
}

export interface AttributeRule {
  readonly type: string;
  readonly required: boolean;
}

export interface Signature {
  readonly inputs: readonly Parameter[];
  readonly outputs: readonly Parameter[];
  readonly attributes: ReadonlyMap<string, AttributeRule>;
}

const classes: Readonly<Record<string, readonly Dtype[]>> = {
  F: ["float32"],
  B: ["bool"],
  L: ["int64"],
  I: ["int32", "int64"],
  P: ["float32", "uint8"],
  S: ["float32", "int32", "int64"],
  N: ["float32", "int32", "int64", "uint8"],
  A: ["float32", "int32", "int64", "uint8", "bool"],
};

/** Element types that a parameter of `type` can have. */
export function dtypesOf(type: string): readonly Dtype[] {
  return classes[type[0]!]!;
}

/** @returns undefined for an operator that the checker does not know */
export function signatureOf(op: string, opset: number): Signature | undefined {
  const text = Object.hasOwn(signatures, op) ? signatures[op as OperatorName] : undefined;
  if (text === undefined) return undefined;
  const [types = "", attributes = ""] = text.split(" | ");
  const [inputs = "", outputs = ""] = types.split(" > ");
  const known = (words: string): string[] =>
    words
      .split(" ")
      .filter((word) => word !== "")
      .flatMap((word) => {
        const [rest = "", since] = word.split("@");
        const border = Number(since ?? 0);
        return border < 0 ? (opset <= -border ? [rest] : []) : opset >= border ? [rest] : [];
      });
  const parameter = (word: string): Parameter => ({
    type: word.replace(/\?$|\.\.\.$/, ""),
    optional: word.endsWith("?"),
    variadic: word.endsWith("..."),
  });
  const attribute = (word: string): [string, AttributeRule] => {
    const [name = "", type = ""] = word.split(":");
    return [name, { type: type.replace("!", ""), required: type.endsWith("!") }];
  };
  return {
    inputs: known(inputs).map(parameter),
    outputs: known(outputs).map(parameter),
    attributes: new Map(known(attributes).map(attribute)),
  };
}
