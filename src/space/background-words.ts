import type { Modality } from "../core/modality.js";

/**
 * What each kind of sensor mostly perceives when nothing of interest happens. Every concept has to be likelier than these
 * words (those close to its own excepted), so that an ordinary moment is not forced into the nearest concept.
 */
export const backgroundWords: Readonly<Record<Exclude<Modality, "text">, readonly string[]>> = {
  vision: [
    "an empty room",
    "a wall",
    "a floor",
    "the sky",
    "a street",
    "a field of grass",
    "trees",
    "furniture",
    "a blurry image",
    "darkness",
    "text on a page",
    "an object",
  ],
  audio: ["silence", "background noise", "wind", "a humming machine", "room noise", "static"],
  depth: ["an empty room", "a wall", "a floor"],
  thermal: ["an empty room", "a cold wall", "the sky", "a street"],
  imu: ["lying still", "standing still", "a sensor at rest"],
  other: ["nothing is happening", "normal operation"],
};
