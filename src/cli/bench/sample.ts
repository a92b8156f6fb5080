import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import { seeded } from "../../core/random.js";
import type { Block, Frame } from "../../core/reading.js";
import type { Recipe } from "../../core/recipe.js";
import { hz, micros } from "../../core/time.js";

const time = micros(0);

/** Noise of the size that a sensor of this kind usually gives, and of one window's length. */
export function sampleReading(modality: Exclude<Modality, "text">, recipe: Recipe): Frame | Block {
  const random = seeded(1);
  const numbers = (count: number, scale: number) => Float32Array.from({ length: count }, () => scale * random());
  switch (recipe.kind) {
    case "vision":
      return frame(modality, { width: 640, height: 480, format: "rgb8", data: Uint8Array.from(numbers(921_600, 256)) });
    case "depth":
      return frame(modality, { width: 320, height: 240, format: "float32", data: numbers(76_800, 8) });
    case "thermal":
      return frame(modality, { width: 160, height: 120, format: "gray8", data: Uint8Array.from(numbers(19_200, 256)) });
    case "waveform":
      return block(modality, { rate: recipe.rate, channels: ["mono"], data: numbers(recipe.samples, 1) });
    case "fbank": {
      const samples = Math.round((recipe.rate * recipe.clips.count * recipe.clips.length) / 1e6);
      return block(modality, { rate: recipe.rate, channels: ["mono"], data: numbers(samples, 1) });
    }
    case "series": {
      const { rate, steps, channels } = recipe;
      return block(modality, { rate, channels, data: numbers(steps * channels.length, 10) });
    }
    case "text":
      throw new SenseError("BAD_BUNDLE", `the recipe of ${modality} is one for text`);
    default:
      return recipe satisfies never;
  }
}

const frame = (
  modality: Exclude<Modality, "text">,
  picture: Pick<Frame, "width" | "height" | "format" | "data">,
): Frame => ({ kind: "frame", modality, time, ...picture });

const block = (
  modality: Exclude<Modality, "text">,
  { rate, channels, data }: { rate: number; channels: readonly string[]; data: Float32Array },
): Block => ({ kind: "block", modality, time, rate: hz(rate), channels, data });
