import { gunzip } from "../download.ts";
import type { ImageShape } from "../model/model.ts";
import { contextOf, readPixels } from "./paint.ts";

/** Images of the visitor's own. They stay in the page: nothing is sent anywhere. */

/** An image file, cut to the middle square if need be and scaled down. @throws Error if it is no image */
export async function readImage(file: Blob, shape: ImageShape): Promise<Uint8Array> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    throw new Error(`Cannot read the file: it must be an image, got ${file.type || "something else"}`);
  }
  const canvas = document.createElement("canvas");
  canvas.width = shape.width;
  canvas.height = shape.height;
  const context = contextOf(canvas);
  const scale = Math.max(shape.width / bitmap.width, shape.height / bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, (shape.width - width) / 2, (shape.height - height) / 2, width, height);
  return readPixels(canvas, shape);
}

/** Lets a pointer draw on `canvas` (mouse, pen or finger) until `stop` is called. `onStroke` after every piece. */
export function drawOn(canvas: HTMLCanvasElement, { onStroke }: { onStroke: () => void }): () => void {
  const context = contextOf(canvas);
  let last: readonly [number, number] | undefined;
  const at = (event: PointerEvent): readonly [number, number] => {
    const box = canvas.getBoundingClientRect();
    return [
      ((event.clientX - box.left) / box.width) * canvas.width,
      ((event.clientY - box.top) / box.height) * canvas.height,
    ];
  };
  const stroke = (event: PointerEvent): void => {
    if (last === undefined) return;
    const next = at(event);
    context.strokeStyle = "#fff";
    context.lineWidth = canvas.width / 12; // a pen of MNIST's width
    context.lineCap = "round";
    context.beginPath();
    context.moveTo(...last);
    context.lineTo(next[0] + 0.01, next[1]);
    context.stroke();
    last = next;
    onStroke();
  };
  const down = (event: PointerEvent): void => {
    canvas.setPointerCapture(event.pointerId);
    last = at(event);
    stroke(event);
  };
  const up = (): void => {
    last = undefined;
  };
  canvas.classList.add("drawing");
  canvas.addEventListener("pointerdown", down);
  canvas.addEventListener("pointermove", stroke);
  canvas.addEventListener("pointerup", up);
  canvas.addEventListener("pointercancel", up);
  return () => {
    canvas.classList.remove("drawing");
    canvas.removeEventListener("pointerdown", down);
    canvas.removeEventListener("pointermove", stroke);
    canvas.removeEventListener("pointerup", up);
    canvas.removeEventListener("pointercancel", up);
  };
}

/** Short text of an image for the share link: gzip, then base64 for addresses. */
export async function imageToText(pixels: Uint8Array): Promise<string> {
  const stream = new Blob([pixels.slice()]).stream().pipeThrough(new CompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** @returns undefined for text that is not an image of `length` bytes */
export async function imageFromText(text: string, length: number): Promise<Uint8Array | undefined> {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    const pixels = await gunzip(Uint8Array.from(binary, (letter) => letter.charCodeAt(0)).buffer);
    return pixels.length === length ? pixels : undefined;
  } catch {
    return undefined; // a link that was cut off: the page shows a sample instead
  }
}
