/** fft.js 4 brings no types: the part that is used here. Complex arrays hold real and imaginary parts in turn. */
declare module "fft.js" {
  export default class FFT {
    /** @param size power of two, at least 2 */
    constructor(size: number);
    createComplexArray(): number[];
    transform(out: number[], data: readonly number[]): void;
    /** Divides by the size. */
    inverseTransform(out: number[], data: readonly number[]): void;
  }
}
