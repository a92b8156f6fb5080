import { cosine, normalize } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";
import type { Anchor, Sensed } from "./pair.js";

/** A window in so many that is spoilt by NaN is left out; more of them, and the sensor is at fault. */
const spoiltShare = 0.05;
/** Readings that differ by less than this share of their size come from a register that nobody updates. */
const stuck = 1e-6;
/** Frames all as alike as this are of one and the same view, noise of the camera included. */
const sameView = 0.995;
/** Mean luminance of a frame behind a lens cap. */
const dark = 0.02;

/**
 * The windows that hold numbers only. Throws `BAD_PAIRS` where there are none, more than 5 % hold NaN or infinite values, or the
 * sensor gave the same values throughout.
 */
export function soundWindows(windows: readonly Sensed[], sensor: string): readonly Sensed[] {
  if (windows.length === 0) throw bad(`${sensor} gave no window`, "Check that it was running and long enough for one.");
  const sound = windows.filter(({ input }) => input.data.every(Number.isFinite));
  const spoilt = windows.length - sound.length;
  if (spoilt > spoiltShare * windows.length) {
    throw bad(
      `${spoilt} of ${windows.length} windows of ${sensor} hold NaN or infinite values`,
      "Check the wiring and the adapter; a value that was not read must not be sent.",
    );
  }
  if (sound.length > 1 && !varies(sound)) {
    throw bad(
      `${sensor} never varied: all ${sound.length} windows hold the same values`,
      "Check that it is powered and read anew each time, and that what it measures changes.",
    );
  }
  return sound;
}

/** Throws `BAD_PAIRS` where there is no frame, most frames are dark, or all show the same: nothing could be learned from it. */
export function checkCamera(anchors: readonly Anchor[], camera: string): void {
  if (anchors.length === 0) throw bad(`${camera} gave no frame`, "Check that it was running at the same time.");
  const black = anchors.filter(({ light }) => light !== undefined && light < dark).length;
  if (black > anchors.length / 2) {
    throw bad(
      `${black} of ${anchors.length} frames of ${camera} are dark`,
      "Is it covered, or the light off? Bind the sensor in daylight.",
    );
  }
  const least = leastLikeness(anchors);
  if (anchors.length > 1 && least > sameView) {
    throw bad(
      `${camera} saw the same throughout: the least cosine of ${anchors.length} frames with their mean is ${least.toFixed(4)}`,
      "Is it covered, or does nothing happen before it? Words come from what it sees.",
    );
  }
}

function varies(windows: readonly Sensed[]): boolean {
  const first = windows[0]!.input.data;
  let size = 0;
  for (const value of first) size = Math.max(size, Math.abs(value));
  return windows.some(({ input: { data } }) => {
    for (let i = 0; i < first.length; i++) if (Math.abs(data[i]! - first[i]!) > stuck * size) return true;
    return false;
  });
}

function leastLikeness(anchors: readonly Anchor[]): number {
  const sum = new Float64Array(anchors[0]!.vector.length);
  for (const { vector } of anchors) for (let i = 0; i < sum.length; i++) sum[i]! += vector[i]!;
  if (Math.hypot(...sum) < 1e-6 * anchors.length) return -1;
  const mean = normalize(sum);
  return anchors.reduce((least, { vector }) => Math.min(least, cosine(mean, vector)), 1);
}

const bad = (message: string, hint: string): SenseError => new SenseError("BAD_PAIRS", message, { hint });
