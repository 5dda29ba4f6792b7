import { UsageError } from "../../schemas/errors.ts";
import type { RineConfig, RineInput, RineProblem } from "../../schemas/rine-config.ts";

/**
 * What the schema of a RINE model cannot say: that its fields fit each other.
 *
 * @param action begins the error message
 * @throws UsageError that names the field
 */
export function checkRineConfig(config: RineConfig, action: string): void {
  const { problems, input, network } = config;
  const refuse = (field: string, wanted: string, got: unknown): never => {
    throw new UsageError(`Cannot ${action}: "${field}" must be ${wanted}, got ${JSON.stringify(got)}`, {
      code: "invalid",
      path: field.split("."),
    });
  };
  if (network.kind === "resnet" && input.kind !== "images")
    refuse("network.kind", "mlp where the input is numbers", network.kind);
  if (input.kind === "images" && input.deviation.length !== input.mean.length) {
    refuse("input.deviation", `one number for each of ${input.mean.length} channels`, input.deviation);
  }
  const names = problems.map(({ name }) => name.toLowerCase()); // tasks bear them in small letters
  const twice = names.findIndex((name, i) => names.indexOf(name) !== i);
  if (twice >= 0) refuse(`problems.${twice}.name`, "unlike that of every other problem", problems[twice]!.name);
  for (const [i, problem] of problems.entries()) {
    const { classes, classNames } = problem;
    if (classNames !== undefined && classNames.length !== classes) {
      refuse(`problems.${i}.classNames`, `${classes} names, one for each class`, classNames);
    }
    checkParts(problem, `problems.${i}.parts`, { config, input, refuse });
  }
}

interface Context {
  readonly config: RineConfig;
  readonly input: RineInput;
  readonly refuse: (field: string, wanted: string, got: unknown) => never;
}

function checkParts({ parts }: RineProblem, field: string, { config, input, refuse }: Context): void {
  if (parts === undefined) return;
  const { size, mean } = input.kind === "images" ? input : refuse(field, "left out where the input is numbers", parts);
  if (parts.length !== config.sources) refuse(field, `one for each of ${config.sources} sources`, parts);
  for (const [k, { columns, channels }] of parts.entries()) {
    const [from, to] = columns ?? [0, size];
    if (!(from! < to! && to! <= size)) {
      refuse(`${field}.${k}.columns`, `[from, to) within 0 .. ${size}`, columns);
    }
    if (channels?.some((channel) => channel >= mean.length)) {
      refuse(`${field}.${k}.channels`, `below ${mean.length}, the number of channels`, channels);
    }
  }
}
