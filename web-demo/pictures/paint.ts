import { elementCount, type HostTensor } from "../../schemas/tensor.ts";
import { h } from "../element.ts";
import type { ImageShape } from "../model/model.ts";

/** A canvas of the image's own size; style.css enlarges it without smoothing. `label` is what a screen reader says. */
export function picture({ height, width }: ImageShape, label: string): HTMLCanvasElement {
  return h("canvas", { class: "picture", width, height, role: "img", "aria-label": label });
}

/** Small pictures that are painted pixel by pixel, and read where the visitor draws: kept in main memory. */
export function contextOf(canvas: HTMLCanvasElement): CanvasRenderingContext2D {
  return canvas.getContext("2d", { willReadFrequently: true })!;
}

/** Paints one image: bytes 0..255 or intensities 0..1, rows of pixels of 1 or 3 channels. */
export function paint(canvas: HTMLCanvasElement, pixels: Uint8Array | Float32Array): void {
  const context = contextOf(canvas);
  const { width, height } = canvas;
  const image = context.createImageData(width, height);
  const channels = pixels.length / (width * height);
  const scale = pixels instanceof Float32Array ? 255 : 1;
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) image.data[4 * i + c] = scale * pixels[channels * i + (channels === 1 ? 0 : c)]!;
    image.data[4 * i + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** Row `at` of a batch of images. */
export function row({ shape, data }: HostTensor, at: number): Uint8Array | Float32Array {
  const size = elementCount(shape.slice(1));
  return (data as Uint8Array | Float32Array).subarray(at * size, (at + 1) * size);
}

/** What the canvas shows, as bytes of 1 or 3 channels. */
export function readPixels(canvas: HTMLCanvasElement, { height, width, channels }: ImageShape): Uint8Array {
  const { data } = contextOf(canvas).getImageData(0, 0, width, height);
  const bytes = new Uint8Array(height * width * channels);
  for (let i = 0; i < height * width; i++) {
    const [r, g, b] = [data[4 * i]!, data[4 * i + 1]!, data[4 * i + 2]!];
    if (channels === 1)
      bytes[i] = Math.round(0.299 * r + 0.587 * g + 0.114 * b); // ITU-R BT.601
    else bytes.set([r, g, b], 3 * i);
  }
  return bytes;
}
