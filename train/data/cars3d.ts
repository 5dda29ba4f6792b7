import { readdirSync } from "node:fs";
import path from "node:path";
import { readMat5 } from "../../files/mat5.ts";
import { sha256OfFile } from "../../files/sha256.ts";
import type { Cars3dOptions } from "../../schemas/data.ts";
import { FailureError, UsageError } from "../../schemas/errors.ts";
import { plainImages } from "./image-store.ts";
import { createLanczos } from "./lanczos.ts";
import type { PairSource } from "./pair-source.ts";
import { singleFromRows } from "./single-view.ts";

const ACTION = `open data source "cars3d"`;
const SIDE = 128;
const CHANNELS = 3;
const AZIMUTHS = 24;
const ELEVATIONS = 4;

/**
 * Single images of Cars3D (Reed et al. 2015): every `car_NNN_mesh.mat` of the folder, or a part of them, made smaller
 * with antialiasing as disentanglement_lib does. Factors: elevation 4, azimuth 24, object_type, one for each file in the
 * order of their names (183 in the whole set). A car takes 1.2 MB at 64x64.
 *
 * @param dataDir folder of the files, or the one above their folder `cars3d`
 * @throws UsageError if there are no such files; FailureError if one holds something else
 */
export function openCars3d({ size, cars }: Cars3dOptions, dataDir: string | undefined): PairSource {
  const files = filesIn(dataDir).slice(0, cars);
  const count = files.length * AZIMUTHS * ELEVATIONS;
  const builder = plainImages({ count, height: size, width: size, channels: CHANNELS }, ACTION);
  const shrink = createLanczos({ height: SIDE, width: SIDE, channels: CHANNELS }, { height: size, width: size });
  const [elevation, azimuth, object] = [new Int32Array(count), new Int32Array(count), new Int32Array(count)];
  let row = 0;
  for (const [car, file] of files.entries()) {
    const image = readCar(file);
    for (let e = 0; e < ELEVATIONS; e++) {
      for (let a = 0; a < AZIMUTHS; a++, row++) {
        builder.add(shrink(pictureOf(image, a, e)));
        elevation[row] = e;
        azimuth[row] = a;
        object[row] = car;
      }
    }
  }
  return singleFromRows({
    name: "cars3d",
    summary: `Cars3D ${size}x${size}, single images of ${files.length} cars`,
    images: builder.done(),
    columns: [
      { name: "elevation", size: ELEVATIONS, classes: elevation },
      { name: "azimuth", size: AZIMUTHS, classes: azimuth },
      { name: "object_type", size: files.length, classes: object },
    ],
    provenance: Object.fromEntries(files.map((file) => [path.basename(file), sha256OfFile(file, ACTION)])),
    action: ACTION,
  });
}

function filesIn(dataDir: string | undefined): string[] {
  if (dataDir === undefined) {
    throw new UsageError(
      `Cannot ${ACTION}: it needs car_001_mesh.mat and so on, got no data folder: use \`--data DIR\``,
      {
        code: "no_data",
      },
    );
  }
  for (const folder of [dataDir, path.join(dataDir, "cars3d")]) {
    const names = entriesOf(folder).filter((name) => /^car_\d+_mesh\.mat$/.test(name));
    if (names.length > 0) return names.sort().map((name) => path.join(folder, name));
  }
  throw new UsageError(`Cannot ${ACTION}: "${dataDir}" must hold car_001_mesh.mat and so on, got none`, {
    code: "no_data",
  });
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readCar(file: string): Uint8Array {
  const wanted = [SIDE, SIDE, CHANNELS, AZIMUTHS, ELEVATIONS];
  const { shape, data } = readMat5(file, "im");
  if (data instanceof Uint8Array && shape.join() === wanted.join()) return data;
  throw new FailureError(
    `Cannot ${ACTION}: "im" of "${file}" must be uint8 [${wanted.join(", ")}], got ${data.constructor.name} [${shape.join(", ")}]`,
    { code: "bad_data" },
  );
}

/** From column-major (y, x, channel, azimuth, elevation) to rows of pixels of channels. */
function pictureOf(image: Uint8Array, azimuth: number, elevation: number): Uint8Array {
  const plane = SIDE * SIDE;
  const start = plane * CHANNELS * (azimuth + AZIMUTHS * elevation);
  const picture = new Uint8Array(plane * CHANNELS);
  for (let y = 0; y < SIDE; y++) {
    for (let x = 0; x < SIDE; x++) {
      for (let c = 0; c < CHANNELS; c++)
        picture[(y * SIDE + x) * CHANNELS + c] = image[start + y + SIDE * x + plane * c]!;
    }
  }
  return picture;
}
