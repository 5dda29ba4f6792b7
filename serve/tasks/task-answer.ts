import type { Request, Response } from "express";
import { UsageError } from "../../schemas/errors.ts";
import type { TensorSpec } from "../../schemas/manifest.ts";
import type { TaskResponse } from "../../schemas/tasks.ts";
import type { HostTensor } from "../../schemas/tensor.ts";
import { requireFinite, writeOutput } from "../protocol/json-tensors.ts";
import { isImageOutput, pixelsOf, sizeOf, writePng } from "./images.ts";

/** Tensors of a task as the answer that was asked for. */

export type TaskOutputs = TaskResponse["outputs"];

/**
 * Outputs with what the manifest says of them.
 *
 * @throws HttpError 422 for a value that JSON cannot say
 */
export function describeOutputs(
  tensors: Readonly<Record<string, HostTensor>>,
  { specs, images }: { specs: readonly TensorSpec[]; images: "numbers" | "png" },
): TaskOutputs {
  const entries = specs
    .filter(({ name }) => Object.hasOwn(tensors, name))
    .map((spec) => {
      const tensor = tensors[spec.name]!;
      requireFinite(spec.name, tensor);
      const shown = images === "png" && isImageOutput(spec);
      const output: TaskOutputs[string] = {
        description: spec.description,
        ...(spec.unit === undefined ? {} : { unit: spec.unit }),
        shape: [...tensor.shape],
        ...(spec.names === undefined ? {} : { names: [...spec.names] }),
        ...(shown ? { png: pngRows(tensor) } : { data: nested(writeOutput(spec.name, tensor).data, tensor.shape) }),
      };
      return [spec.name, output] as const;
    });
  return Object.fromEntries(entries);
}

function pngRows(tensor: HostTensor): string[] {
  return Array.from({ length: tensor.shape[0]! }, (_, row) =>
    Buffer.from(writePng([[pixelsOf(tensor, row)]], sizeOf(tensor))).toString("base64"),
  );
}

function nested(flat: readonly unknown[], shape: readonly number[]): unknown[] {
  if (shape.length <= 1) return [...flat];
  const [size, ...inner] = shape as [number, ...number[]];
  const step = flat.length / size;
  return Array.from({ length: size }, (_, i) => nested(flat.slice(i * step, (i + 1) * step), inner));
}

/** Whether the client asks for a picture rather than for JSON. */
export function wantsPng(request: Request): boolean {
  return request.accepts(["application/json", "image/png"]) === "image/png";
}

/**
 * All images of an answer as one PNG: a line for each row and a column for each output, or turned, which suits a walk.
 *
 * @throws UsageError when no output is an image, or images differ in size
 * @throws HttpError 422 for a value that is not finite
 */
export function pictureOf(
  tensors: Readonly<Record<string, HostTensor>>,
  { specs, turned }: { specs: readonly TensorSpec[]; turned: boolean },
): Uint8Array {
  const shown = specs.filter((spec) => Object.hasOwn(tensors, spec.name) && isImageOutput(spec));
  const images = shown.map(({ name }) => tensors[name]!);
  if (images.length === 0 || images.some(({ shape }) => String(shape) !== String(images[0]!.shape))) {
    throw new UsageError(
      `Cannot answer with a PNG: outputs must be images of one size, got ${specs.map(({ name }) => name).join(", ")}; ask for application/json, or for other outputs`,
      { code: "no_image", path: ["outputs"] },
    );
  }
  for (const [i, tensor] of images.entries()) requireFinite(shown[i]!.name, tensor);
  const rows = Array.from({ length: images[0]!.shape[0]! }, (_, row) => images.map((image) => pixelsOf(image, row)));
  const lines = turned ? images.map((_, output) => rows.map((row) => row[output]!)) : rows;
  return writePng(lines, sizeOf(images[0]!));
}

export function sendPng(response: Response, png: Uint8Array): void {
  response.type("png").send(Buffer.from(png.buffer, png.byteOffset, png.byteLength));
}
