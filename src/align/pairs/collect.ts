import { printDuration } from "../../core/duration.js";
import { SenseError } from "../../core/errors.js";
import { type Micros, micros, ms, s, us } from "../../core/time.js";
import { type Lag, lagOf } from "./lag.js";
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
  /**
   * `at once`: what a microphone, a motion or a thermal sensor does, so that a lag beyond the tolerance is the clocks' fault;
   * `late`: as a gas sensor, whose windows go with what the camera saw so much before. Unless given nobody asks.
   */
  readonly answers?: "at once" | "late";
}

/** Clocks that are read on one host are never further apart; a gas may take so long to reach its sensor. */
const mostLag = { "at once": s(3), late: s(10) };

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
  /** How much later the sensor answers, where that was asked and can be told. */
  readonly lag: Lag | undefined;
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
  const { answers } = options;
  const lag = answers && lagOf(sound, anchors, { most: mostLag[answers] });
  if (answers === "at once" && lag) checkLag(lag, streams, options);
  const late = answers === "late" ? Math.max(0, lag?.lag ?? 0) : 0;
  const felt = late === 0 ? sound : sound.map((window) => ({ ...window, time: micros(window.time - late) }));
  const matches = matchByTime(felt, anchors, options);
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
    lag,
  };
}

function checkLag({ lag, within }: Lag, { sensor, camera }: Streams, { tolerance = ms(250) }: MatchOptions): void {
  if (Math.abs(lag) <= tolerance + within) return;
  const apart = `${(Math.abs(lag) / 1e6).toFixed(2)} s`;
  throw new SenseError(
    "CLOCKS_APART",
    `${sensor} tells the same story as ${camera}, but ${apart} ${lag > 0 ? "later" : "earlier"}: their clocks are further apart than the ` +
      `tolerance of ${printDuration(us(tolerance))}`,
    { hint: "Let both read the host's clock; if the sensor is slow by nature, give a tolerance that covers it." },
  );
}
