import type { Recipe } from "../../core/recipe.js";
import { type Augment, chain, sometimes } from "./augment.js";
import { rotate, scale } from "./motion.js";
import { cropResize } from "./picture.js";
import { specAugment } from "./spectrogram.js";
import { gainOffset, jitter, scaleChannels } from "./values.js";

/** Channels that are the axes of one board: they are turned together. */
const imuChannels = "ax ay az gx gy gz";

/**
 * What may happen to a sensor's input without changing what the camera would have seen, by the recipe that made the input; undefined
 * for texts. Pictures are never mirrored: the camera's embedding knows left from right.
 */
export function augmentationOf(recipe: Recipe): Augment | undefined {
  switch (recipe.kind) {
    case "text":
      return undefined;
    case "vision":
      return chain(cropResize(), gainOffset({ gain: 0.2, offset: 0.1 }));
    case "thermal":
      return chain(cropResize(), gainOffset(), jitter({ most: 0.05 }));
    case "depth":
      return chain(cropResize(), jitter({ most: 0.05 }));
    case "fbank":
      return sometimes(0.8, specAugment());
    case "waveform":
      return chain(scale({ most: 0.5 }), jitter());
    case "series":
      return recipe.channels.join(" ") === imuChannels
        ? chain(rotate(), scale(), jitter({ most: 0.05 }))
        : chain(scaleChannels(), jitter({ most: 0.05 }));
    default:
      return recipe satisfies never;
  }
}
