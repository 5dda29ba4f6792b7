import "../../../export/tfjs-setup.ts";
import { expect, test } from "vitest";
import { checkModelConfig } from "../../../train/models/registry.ts";

const images = { kind: "images", size: 8, mean: [0.5], deviation: [0.2] };
const base = {
  problems: [{ name: "P", classes: 2 }],
  input: images,
  network: { kind: "resnet", stemStride: 1, filters: [2], blocks: 1 },
  epochSteps: 1,
  optimiser: { kind: "sgd", learningRate: 0.1, momentum: 0, weightDecay: 0 },
};
const problem = (changes: object) => ({ problems: [{ name: "P", classes: 2, ...changes }] });

test.each([
  [{}, undefined],
  [problem({ parts: [{ columns: [4, 8] }, { channels: [0] }] }), undefined],
  [{ input: { kind: "numbers", size: 1 } }, '"network.kind" must be mlp where the input is numbers, got "resnet"'],
  [
    { input: { ...images, deviation: [1, 1] } },
    '"input.deviation" must be one number for each of 1 channels, got [1,1]',
  ],
  [
    { problems: [{ name: "p", classes: 2 }, ...problem({}).problems] },
    '"problems.1.name" must be unlike that of every other problem, got "P"',
  ],
  [problem({ classNames: ["a", "b", "c"] }), '"problems.0.classNames" must be 2 names, one for each class'],
  [problem({ parts: [{}, {}, {}] }), '"problems.0.parts" must be one for each of 2 sources'],
  [
    problem({ parts: [{ columns: [4, 9] }, {}] }),
    '"problems.0.parts.0.columns" must be [from, to) within 0 .. 8, got [4,9]',
  ],
  [
    problem({ parts: [{}, { channels: [1] }] }),
    '"problems.0.parts.1.channels" must be below 1, the number of channels, got [1]',
  ],
])("a model with %j is taken, or refused by the name of the field", (changes, message) => {
  const check = () => checkModelConfig("rine", structuredClone({ ...base, ...changes }), "read the test");
  if (message === undefined) expect(check()).toMatchObject({ betas: [0, 50] });
  else expect(check).toThrow(`Cannot read the test, model: ${message}`);
});
