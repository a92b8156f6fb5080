import { cosine } from "../../core/embedding.js";
import { seeded } from "../../core/random.js";
import { type Duration, s, us } from "../../core/time.js";
import type { Anchor, Sensed } from "./pair.js";

export interface LagOptions {
  /** The largest lag that is looked for; 3 s unless given. */
  readonly most?: Duration;
}

/** How much later the sensor answers than the camera sees, by their time stamps; negative if it is earlier. */
export interface Lag {
  readonly lag: Duration;
  /** As near as the rates of the two allow to tell. */
  readonly within: Duration;
}

const couples = 6000;
const elements = 512;
/** Fewer windows than this tell two lags apart by chance. */
const leastWindows = 50;
/** Below this, what the sensor feels has little to do with what the camera sees, and the best lag is chance. */
const leastCorrelation = 0.3;
/** The best lag must beat none at all in so many of so many stretches of time. */
const stretches = { all: 5, least: 4 };

/**
 * The lag at which both tell the same story: where two moments that look alike to the camera feel alike to the sensor, too (correlation of
 * distances: Kriegeskorte, Mur and Bandettini 2008, "Representational similarity analysis"). Undefined where no lag stands out, as with a
 * sensor that says nothing, or too short a time.
 */
export function lagOf(
  windows: readonly Sensed[],
  anchors: readonly Anchor[],
  { most = s(3) }: LagOptions = {},
): Lag | undefined {
  const frames = [...anchors].sort((a, b) => a.time - b.time);
  const [first, last] = [frames[0]?.time ?? 0, frames.at(-1)?.time ?? 0];
  const inside = windows
    .filter(({ time }) => time - most >= first && time + most <= last)
    .sort((a, b) => a.time - b.time);
  const step = Math.max(period(frames), 50_000);
  if (inside.length < leastWindows || step * 2 > most) return undefined;
  const story = storyOf(inside, { frames, reach: 2 * most });
  const shifts = Array.from(
    { length: Math.floor(most / step) * 2 + 1 },
    (_, i) => (i - Math.floor(most / step)) * step,
  );
  const told = shifts.map((shift) => ({ shift, looks: story.looks(shift) }));
  const strength = ({ looks }: Told): number => correlation(story.felt, looks);
  const best = told.reduce((a, b) => (strength(b) > strength(a) ? b : a));
  const none = told.find(({ shift }) => shift === 0)!;
  if (strength(best) < leastCorrelation) return undefined;
  const size = couples / stretches.all;
  const wins = Array.from({ length: stretches.all }, (_, i) => {
    const part = <T>(list: readonly T[]): readonly T[] => list.slice(i * size, (i + 1) * size);
    return correlation(part(story.felt), part(best.looks)) >= correlation(part(story.felt), part(none.looks));
  });
  if (wins.filter(Boolean).length < stretches.least) return undefined;
  return { lag: us(0 - best.shift), within: us(Math.max(step, period(inside))) };
}

interface Told {
  readonly shift: number;
  readonly looks: readonly number[];
}

/** Couples of moments at most `reach` apart, in order of time: how different they felt, and how different they looked some time later. */
function storyOf(
  windows: readonly Sensed[],
  { frames, reach }: { readonly frames: readonly Anchor[]; readonly reach: number },
): { readonly felt: readonly number[]; readonly looks: (shift: number) => readonly number[] } {
  const random = seeded(1);
  const near = Math.max(1, Math.min(windows.length - 1, Math.floor(reach / period(windows))));
  const chosen = Array.from({ length: couples }, (_, n): readonly [number, number] => {
    const i = Math.floor((n * windows.length) / couples);
    const j = i + 1 + Math.floor(random() * near);
    return [i, j < windows.length ? j : windows.length - 1 - (j - windows.length)];
  });
  const stride = Math.max(1, Math.floor(windows[0]!.input.data.length / elements));
  return {
    felt: chosen.map(([i, j]) => distance(windows[i]!.input.data, windows[j]!.input.data, stride)),
    looks: (shift) => {
      const seen = windows.map(({ time }) => nearest(frames, time + shift).vector);
      return chosen.map(([i, j]) => 1 - cosine(seen[i]!, seen[j]!));
    },
  };
}

/** Middle time from one to the next. */
function period(timed: readonly { readonly time: number }[]): number {
  const gaps = timed.slice(1).map(({ time }, i) => time - timed[i]!.time);
  return gaps.sort((a, b) => a - b)[gaps.length >> 1] ?? Number.POSITIVE_INFINITY;
}

function nearest(frames: readonly Anchor[], time: number): Anchor {
  let [low, high] = [0, frames.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (frames[middle]!.time <= time) low = middle;
    else high = middle;
  }
  return time - frames[low]!.time <= frames[high]!.time - time ? frames[low]! : frames[high]!;
}

function distance(a: Float32Array, b: Float32Array, stride: number): number {
  let sum = 0;
  for (let i = 0; i < a.length; i += stride) sum += (a[i]! - b[i]!) ** 2;
  return Math.sqrt(sum);
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const mean = (x: readonly number[]): number => x.reduce((sum, value) => sum + value, 0) / x.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [da, db] = [a[i]! - ma, b[i]! - mb];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / Math.sqrt(aa * bb || 1);
}
