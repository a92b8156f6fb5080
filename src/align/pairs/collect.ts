import type { Micros } from "../../core/time.js";
import { type MatchOptions, matchByTime } from "./match.js";
import type { Anchor, Sensed, Split } from "./pair.js";
import { checkCamera, soundWindows } from "./quality.js";
import { checkVariety, type SceneOptions, scenesOf, thinned } from "./scenes.js";
import { type SplitOptions, splitByTime } from "./split.js";

/** What both sensors gave over the same time. */
export interface Streams {
  /** The names of the two, for messages. */
  readonly sensor: string;
  readonly camera: string;
  readonly windows: readonly Sensed[];
  readonly anchors: readonly Anchor[];
}

export interface CollectOptions extends MatchOptions, SceneOptions, SplitOptions {
  /** Pairs kept of one unbroken stretch of a scene; 16 unless given. */
  readonly mostPerVisit?: number;
  /** Distinct scenes that a useful head needs, about; 40 unless given. */
  readonly scenes?: number;
}

/** Pairs on both sides, and what became of everything that was collected. */
export interface Collected extends Split {
  readonly counts: {
    readonly windows: number;
    readonly frames: number;
    /** Windows left out because they held NaN. */
    readonly spoilt: number;
    /** Windows without a frame near enough in time. */
    readonly unmatched: number;
    /** Pairs left out because the camera saw the same for long. */
    readonly repeated: number;
    /** Pairs left out because they are too near to a held-out one. */
    readonly guarded: number;
    readonly scenes: number;
    readonly visits: number;
  };
  /** From the first to the last pair. */
  readonly span: { readonly from: Micros; readonly to: Micros };
}

/**
 * From two streams to pairs that a head can learn from: checked, matched by event time, thinned where the camera saw the same, and
 * split by blocks of time. The same streams and seed give the same pairs. Throws `BAD_PAIRS`, `CLOCKS_APART` or `TOO_LITTLE_VARIETY`.
 */
export function collectPairs(streams: Streams, options: CollectOptions = {}): Collected {
  const { mostPerVisit = 16, scenes: needed = 40 } = options;
  const { windows, anchors } = streams;
  const sound = soundWindows(windows, streams.sensor);
  checkCamera(anchors, streams.camera);
  const matches = matchByTime(sound, anchors, options);
  const pairs = scenesOf(matches, options);
  checkVariety(pairs, needed);
  const kept = thinned(pairs, mostPerVisit);
  const split = splitByTime(kept, options);
  return {
    ...split,
    counts: {
      windows: windows.length,
      frames: anchors.length,
      spoilt: windows.length - sound.length,
      unmatched: sound.length - matches.length,
      repeated: pairs.length - kept.length,
      guarded: kept.length - split.train.length - split.heldOut.length,
      scenes: new Set(pairs.map(({ scene }) => scene)).size,
      visits: pairs.at(-1)!.visit + 1,
    },
    span: { from: pairs[0]!.time, to: pairs.at(-1)!.time },
  };
}
