import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import type { Block, Frame } from "../core/reading.js";
import type { Recipe } from "../core/recipe.js";
import { type Duration, micros, s } from "../core/time.js";
import { readAudio } from "../device/decode/audio.js";
import { readDepth } from "../device/decode/depth.js";
import { readSeries } from "../device/decode/series.js";
import { readImage, toRgb } from "../device/decode/sharp.js";
import { readThermal } from "../device/decode/thermal.js";
import { fileClips, type Inputs } from "../window/preprocess.js";
import type { SeriesFlags } from "./options.js";
import { isVideo, readVideo } from "./read-video.js";

export interface InputOptions extends SeriesFlags {
  readonly modality: Exclude<Modality, "text">;
  readonly recipe: Recipe;
  /** From one window of a long file to the next: as in a live stream, so that nothing is missed at a window's edge. */
  readonly hop: Duration | undefined;
}

/** A file has no event time of its own. */
const time = micros(0);

/** A file as the tensors that its modality's encoder takes, one row a clip. Throws what its decoder throws. */
export async function readInput(path: string, options: InputOptions): Promise<Inputs> {
  const { modality, recipe, hop = s(1) } = options;
  if (modality === "vision" && isVideo(path)) return readVideo(path, recipe, hop);
  return fileClips(options.recipe, await readReading(path, options), { hop: options.hop });
}

async function readReading(path: string, options: InputOptions): Promise<Frame | Block> {
  const { modality, recipe } = options;
  switch (modality) {
    case "vision": {
      const picture = await readImage(path);
      return {
        kind: "frame",
        modality,
        time,
        format: "rgb8",
        width: picture.width,
        height: picture.height,
        data: toRgb(picture),
      };
    }
    case "depth":
      return { kind: "frame", modality, time, format: "float32", ...(await readDepth(path)) };
    case "thermal":
      return { kind: "frame", modality, time, ...(await readThermal(path)) };
    case "audio": {
      const { channels, rate, data } = await readAudio(path);
      return {
        kind: "block",
        modality,
        time,
        rate,
        data,
        channels: Array.from({ length: channels }, (_, i) => `c${i}`),
      };
    }
    case "imu":
    case "other": {
      if (recipe.kind !== "series") {
        throw new SenseError("BAD_BUNDLE", `the recipe of ${modality} is of kind ${recipe.kind}, expected series`);
      }
      const { rate, scale, channels = recipe.channels } = { ...options };
      const series = await readSeries(path, { rate, scale, channels });
      return { kind: "block", modality, time, rate: series.rate, data: series.data, channels: series.channels };
    }
    default:
      return modality satisfies never;
  }
}
