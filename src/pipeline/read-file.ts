import { extname } from "node:path";
import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import type { Block, Frame } from "../core/reading.js";
import type { Recipe } from "../core/recipe.js";
import { micros } from "../core/time.js";
import { readAudio } from "../device/decode/audio.js";
import { readDepth } from "../device/decode/depth.js";
import { readSeries } from "../device/decode/series.js";
import { readImage, toRgb } from "../device/decode/sharp.js";
import { readThermal } from "../device/decode/thermal.js";

export interface ReadFileOptions {
  readonly modality: Exclude<Modality, "text">;
  readonly recipe: Recipe;
  /** Samples a second, and what raw values are multiplied with, of a file that does not say. */
  readonly rate?: number | undefined;
  readonly scale?: readonly number[] | undefined;
}

/** A file has no event time of its own. */
const time = micros(0);

/** A picture, sound or series of samples as a sensor would have given it. Throws what its decoder throws. */
export async function readFileReading(path: string, options: ReadFileOptions): Promise<Frame | Block> {
  const { modality } = options;
  switch (modality) {
    case "vision": {
      const picture = await readImage(path);
      const { width, height } = picture;
      return { kind: "frame", modality, time, format: "rgb8", width, height, data: toRgb(picture) };
    }
    case "depth":
      return { kind: "frame", modality, time, format: "float32", ...(await readDepth(path)) };
    case "thermal":
      return { kind: "frame", modality, time, ...(await readThermal(path)) };
    case "audio": {
      const { channels: count, rate, data } = await readAudio(path);
      const channels = Array.from({ length: count }, (_, i) => `c${i}`);
      return { kind: "block", modality, time, rate, data, channels };
    }
    case "imu":
    case "other":
      return { kind: "block", modality, time, ...(await seriesOf(path, options)) };
    default:
      return modality satisfies never;
  }
}

async function seriesOf(path: string, { modality, recipe, rate, scale }: ReadFileOptions) {
  if (recipe.kind !== "series") {
    throw new SenseError("BAD_BUNDLE", `the recipe of ${modality} is of kind ${recipe.kind}, expected series`);
  }
  const { channels } = recipe;
  const given = { ...(rate !== undefined && { rate }), ...(scale !== undefined && { scale }), channels };
  const series = await readSeries(path, given);
  return { rate: series.rate, data: series.data, channels: series.channels };
}

const kinds: Readonly<Record<string, Exclude<Modality, "text">>> = {
  ".jpg": "vision",
  ".jpeg": "vision",
  ".png": "vision",
  ".webp": "vision",
  ".wav": "audio",
  ".flac": "audio",
  ".mp3": "audio",
  ".ogg": "audio",
  ".csv": "imu",
};

/** What a file's name says of its modality. */
export const modalityOfName = (path: string): Exclude<Modality, "text"> | undefined =>
  kinds[extname(path).toLowerCase()];
