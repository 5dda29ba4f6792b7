import FFT from "fft.js";

/** Splits an image into its low and its high spatial frequencies. */
export interface FrequencyBands {
  /**
   * @param image uint8 [size, size, channels]
   * @param low, high where the bands are written, as `image`
   */
  split(image: Uint8Array, low: Uint8Array, high: Uint8Array): void;
}

/**
 * How a band becomes bytes: `wrap` as the RINE authors' cast to uint8, which drops the fraction and takes the rest
 * modulo 256, so that small negative values of the high band come out nearly white; `shift` adds 128 to the high band,
 * rounds and clips.
 */
export type BandCast = "wrap" | "shift";

/**
 * Frequency bands of square images, channel by channel: low has the wave numbers |ky| <= radius and |kx| <= radius of the
 * two-dimensional Fourier transform (for radius 2 the centred 5x5 block), high is the rest, image - low.
 *
 * Source: RINE paper, section 4.2, and the authors' code
 *
 * @param size height and width, a power of two
 */
export function createFrequencyBands(
  size: number,
  { channels, radius, cast }: { channels: number; radius: number; cast: BandCast },
): FrequencyBands {
  const fft = new FFT(size);
  const kept = Array.from({ length: 2 * radius + 1 }, (_, i) => (i - radius + size) % size);
  const line = fft.createComplexArray();
  const spectrum = fft.createComplexArray();
  const back = fft.createComplexArray();
  /** Row transforms at the kept wave numbers: [kept][row] complex. */
  const columns = kept.map(() => fft.createComplexArray());

  /** Low band of one channel, [size, size], into `band`. Only the kept columns are ever transformed. */
  function lowPass(image: Uint8Array, channel: number, band: Float64Array): void {
    for (let row = 0; row < size; row++) {
      for (let x = 0; x < size; x++) {
        line[2 * x] = image[(row * size + x) * channels + channel]!;
        line[2 * x + 1] = 0;
      }
      fft.transform(spectrum, line);
      for (const [i, k] of kept.entries()) {
        columns[i]![2 * row] = spectrum[2 * k]!;
        columns[i]![2 * row + 1] = spectrum[2 * k + 1]!;
      }
    }
    for (const column of columns) {
      fft.transform(spectrum, column);
      for (let k = 0; k < size; k++) if (!kept.includes(k)) spectrum[2 * k] = spectrum[2 * k + 1] = 0;
      fft.inverseTransform(back, spectrum);
      for (let at = 0; at < column.length; at++) column[at] = back[at]!;
    }
    for (let row = 0; row < size; row++) {
      spectrum.fill(0);
      for (const [i, k] of kept.entries()) {
        spectrum[2 * k] = columns[i]![2 * row]!;
        spectrum[2 * k + 1] = columns[i]![2 * row + 1]!;
      }
      fft.inverseTransform(back, spectrum);
      for (let x = 0; x < size; x++) band[row * size + x] = back[2 * x]!;
    }
  }

  const band = new Float64Array(size * size);
  return {
    split(image, low, high) {
      for (let channel = 0; channel < channels; channel++) {
        lowPass(image, channel, band);
        for (let i = 0; i < band.length; i++) {
          const at = i * channels + channel;
          low[at] = toByte(band[i]!, cast, 0);
          high[at] = toByte(image[at]! - band[i]!, cast, 128);
        }
      }
    },
  };
}

function toByte(value: number, cast: BandCast, middle: number): number {
  // Storing into a Uint8Array drops the fraction and wraps, as numpy's cast does on the processors that people have.
  return cast === "wrap" ? Math.trunc(value) & 255 : Math.min(255, Math.max(0, Math.round(value + middle)));
}
