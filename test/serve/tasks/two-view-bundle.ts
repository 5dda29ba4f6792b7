import { encode } from "fast-png";
import type { HostTensor } from "../../../schemas/tensor.ts";
import { type FakeBundle, spec } from "../fake-engine.ts";

/**
 * A bundle of 2 x 3 grey images whose codes can be worked out by hand: common_0 is the first pixel over 255, unique_N
 * the second; a decoder shows common in all pixels but the second. With the names that all families share.
 */

const image = (name: string) => spec(name, "uint8", [-1, 2, 3, 1]);
const picture = (name: string) => spec(name, "float32", [-1, 2, 3, 1], { unit: "intensity 0..1" });
const code = (name: string, names?: string[]) => spec(name, "float32", [-1, 1], names === undefined ? {} : { names });
const noise = (name: string) => spec(name, "float32", [-1, 1]);

type Tensors = Readonly<Record<string, HostTensor>>;

const column = (values: number[]): HostTensor => ({
  dtype: "float32",
  shape: [values.length, 1],
  data: Float32Array.from(values),
});
const perRow = (values: number[]): HostTensor => ({ ...column(values), shape: [values.length] });
const pixel = (tensor: HostTensor, at: number): number[] =>
  Array.from({ length: tensor.shape[0]! }, (_, row) => Number(tensor.data[row * 6 + at]) / 255);
const valuesOf = (tensor: HostTensor): number[] => [...(tensor.data as Float32Array)];
const show = (common: number[], own: number[]): HostTensor => ({
  dtype: "float32",
  shape: [common.length, 2, 3, 1],
  data: Float32Array.from(common.flatMap((value, row) => [value, own[row]!, value, value, value, value])),
});

function gaussian(name: string, means: number[]): Tensors {
  return { [`${name}_mean`]: column(means), [`${name}_logvar`]: column(means.map(() => -4)) };
}
const moments = (name: string) => [code(`${name}_mean`, ["it"]), code(`${name}_logvar`, ["it"])];

export const twoView: FakeBundle = {
  name: "toy",
  latents: [
    { name: "common", dimensions: ["common_0"] },
    { name: "unique_1", dimensions: ["unique_1_0"] },
    { name: "unique_2", dimensions: ["unique_2_0"] },
  ],
  tasks: {
    encode: {
      inputs: [image("view_1"), image("view_2")],
      outputs: ["common", "unique_1", "unique_2", "common_1", "common_2"].flatMap(moments),
      run: ({ view_1, view_2 }) => ({
        ...gaussian("common", pixel(view_1!, 0)),
        ...gaussian("unique_1", pixel(view_1!, 1)),
        ...gaussian("unique_2", pixel(view_2!, 1)),
        ...gaussian("common_1", pixel(view_1!, 0)),
        ...gaussian("common_2", pixel(view_2!, 0)),
      }),
    },
    ...Object.fromEntries(
      ["1", "2"].map((view) => [
        `encode_${view}`,
        {
          inputs: [image(`view_${view}`)],
          outputs: ["common", `unique_${view}`].flatMap(moments),
          run: (inputs: Tensors) => ({
            ...gaussian("common", pixel(inputs[`view_${view}`]!, 0)),
            ...gaussian(`unique_${view}`, pixel(inputs[`view_${view}`]!, 1)),
          }),
        },
      ]),
    ),
    decode: {
      inputs: [code("common"), code("unique_1"), code("unique_2")],
      outputs: [picture("view_1"), picture("view_2")],
      run: ({ common, unique_1, unique_2 }) => ({
        view_1: show(valuesOf(common!), valuesOf(unique_1!)),
        view_2: show(valuesOf(common!), valuesOf(unique_2!)),
      }),
    },
    conditional_1to2: {
      inputs: [image("view_1"), noise("noise_unique_2")],
      outputs: [picture("view_2")],
      run: ({ view_1, noise_unique_2 }) => ({ view_2: show(pixel(view_1!, 0), valuesOf(noise_unique_2!)) }),
    },
    ...Object.fromEntries(
      ["1", "2"].map((style) => [
        `style_transfer_${style}`,
        {
          inputs: [image("view_1"), image("view_2")],
          outputs: [picture(`styled_view_${style}`)],
          run: (inputs: Tensors) => ({
            [`styled_view_${style}`]: show(
              pixel(inputs[`view_${3 - Number(style)}`]!, 0),
              pixel(inputs[`view_${style}`]!, 1),
            ),
          }),
        },
      ]),
    ),
    joint: {
      inputs: [noise("noise_common"), noise("noise_unique_1"), noise("noise_unique_2")],
      outputs: [picture("view_1"), picture("view_2")],
      run: ({ noise_common, noise_unique_1, noise_unique_2 }) => ({
        view_1: show(valuesOf(noise_common!), valuesOf(noise_unique_1!)),
        view_2: show(valuesOf(noise_common!), valuesOf(noise_unique_2!)),
      }),
    },
    common_information: {
      inputs: [image("view_1"), image("view_2")],
      outputs: [
        spec("rate_common_1", "float32", [-1, 1], { unit: "nats", names: ["common_0"] }),
        spec("total_common_1", "float32", [-1], { unit: "nats" }),
        spec("disagreement_1to2", "float32", [-1], { unit: "nats" }),
      ],
      run: ({ view_1, view_2 }) => ({
        rate_common_1: column(pixel(view_1!, 0)),
        total_common_1: perRow(pixel(view_1!, 0)),
        disagreement_1to2: perRow(pixel(view_1!, 0).map((value, row) => Math.abs(value - pixel(view_2!, 0)[row]!))),
      }),
    },
    redundant_information: {
      inputs: [spec("x1", "float32", [-1, 1]), spec("y", "int32", [-1])],
      outputs: [
        spec("cross_entropy_1", "float32", [-1], { unit: "nats" }),
        spec("disagreement", "float32", [-1], { unit: "1" }),
      ],
      run: ({ x1 }) => ({ cross_entropy_1: perRow(valuesOf(x1!)), disagreement: perRow(valuesOf(x1!).map(() => 0.5)) }),
    },
  },
};

/** Pixels of an image whose first is `common` and second `own`. */
export const toyImage = (common: number, own: number): number[][][] => [
  [[common], [own], [common]],
  [[common], [common], [common]],
];

/** `toyImage` as a PNG file, or what `change` makes of it. */
export function toyPng(common: number, own: number, change: Partial<Parameters<typeof encode>[0]> = {}): Buffer {
  return Buffer.from(
    encode({
      width: 3,
      height: 2,
      channels: 1,
      depth: 8,
      data: Uint8Array.from(toyImage(common, own).flat(2)),
      ...change,
    }),
  );
}
