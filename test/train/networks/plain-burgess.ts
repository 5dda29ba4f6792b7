/**
 * The Burgess nets once more, in float64 on plain arrays and from the definition of PyTorch's layers: the reference
 * that the tfjs ones are held against. Shares no code with them.
 */

export interface Plain {
  readonly shape: readonly number[];
  readonly values: Float64Array;
}

export type PlainNetworks = Readonly<Record<string, Plain>>;

export function plain(shape: readonly number[], values: ArrayLike<number>): Plain {
  return { shape, values: Float64Array.from(values) };
}

/** One image [height, width, channels]; 4x4 kernel [4, 4, in, out], stride 2, padding 1, as torch.nn.Conv2d. */
function convolve(image: Plain, kernel: Plain, bias: Plain): Plain {
  const [height, width, from] = image.shape as [number, number, number];
  const to = kernel.shape[3]!;
  const out = new Float64Array((height / 2) * (width / 2) * to);
  for (let i = 0; i < height / 2; i++) {
    for (let j = 0; j < width / 2; j++) {
      for (let o = 0; o < to; o++) {
        let sum = bias.values[o]!;
        for (let a = 0; a < 4; a++) {
          for (let b = 0; b < 4; b++) {
            const y = 2 * i + a - 1;
            const x = 2 * j + b - 1;
            if (y < 0 || y >= height || x < 0 || x >= width) continue;
            for (let c = 0; c < from; c++) {
              sum += image.values[(y * width + x) * from + c]! * kernel.values[((a * 4 + b) * from + c) * to + o]!;
            }
          }
        }
        out[(i * (width / 2) + j) * to + o] = sum;
      }
    }
  }
  return { shape: [height / 2, width / 2, to], values: out };
}

/** One image; kernel [4, 4, out, in], stride 2, padding 1, as torch.nn.ConvTranspose2d: every pixel stamps the kernel. */
function stamp(image: Plain, kernel: Plain, bias: Plain): Plain {
  const [height, width, from] = image.shape as [number, number, number];
  const to = kernel.shape[2]!;
  const out = new Float64Array(height * 2 * width * 2 * to);
  for (let p = 0; p < out.length; p++) out[p] = bias.values[p % to]!;
  for (let i = 0; i < height; i++) {
    for (let j = 0; j < width; j++) {
      for (let a = 0; a < 4; a++) {
        for (let b = 0; b < 4; b++) {
          const y = 2 * i + a - 1;
          const x = 2 * j + b - 1;
          if (y < 0 || y >= 2 * height || x < 0 || x >= 2 * width) continue;
          for (let o = 0; o < to; o++) {
            for (let c = 0; c < from; c++) {
              const weight = kernel.values[((a * 4 + b) * to + o) * from + c]!;
              out[(y * 2 * width + x) * to + o]! += weight * image.values[(i * width + j) * from + c]!;
            }
          }
        }
      }
    }
  }
  return { shape: [2 * height, 2 * width, to], values: out };
}

function multiply(x: Plain, kernel: Plain, bias: Plain): Plain {
  const [from, to] = kernel.shape as [number, number];
  const values = new Float64Array(to);
  for (let o = 0; o < to; o++) {
    values[o] = bias.values[o]!;
    for (let c = 0; c < from; c++) values[o]! += x.values[c]! * kernel.values[c * to + o]!;
  }
  return { shape: [to], values };
}

const rectify = (x: Plain): Plain => ({ shape: x.shape, values: x.values.map((value) => Math.max(value, 0)) });

function layer(networks: PlainNetworks, name: string, kind: typeof convolve, x: Plain): Plain {
  return kind(x, networks[`${name}.kernel`]!, networks[`${name}.bias`]!);
}

/** @param image intensity 0..1, [size, size, channels] @returns the encoder's outputs of this one image */
export function plainEncoder(networks: PlainNetworks, prefix: string, image: Plain): Float64Array {
  const convolutions = Math.log2(image.shape[0]! / 4);
  let x = image;
  for (let i = 1; i <= convolutions; i++) x = rectify(layer(networks, `${prefix}.conv_${i}`, convolve, x));
  x = rectify(layer(networks, `${prefix}.dense_1`, multiply, x));
  x = rectify(layer(networks, `${prefix}.dense_2`, multiply, x));
  return layer(networks, `${prefix}.dense_3`, multiply, x).values;
}

/** @returns the logits of this one image, [size, size, channels] */
export function plainDecoder(networks: PlainNetworks, prefix: string, z: Plain, size: number): Plain {
  const deconvolutions = Math.log2(size / 4);
  let x = z;
  for (let i = 1; i <= 3; i++) x = rectify(layer(networks, `${prefix}.dense_${i}`, multiply, x));
  x = { shape: [4, 4, x.values.length / 16], values: x.values };
  for (let i = 1; i < deconvolutions; i++) x = rectify(layer(networks, `${prefix}.deconv_${i}`, stamp, x));
  return layer(networks, `${prefix}.deconv_${deconvolutions}`, stamp, x);
}
