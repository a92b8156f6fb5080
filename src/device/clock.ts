import { type Micros, micros } from "../core/time.js";
import type { ClockFacts } from "./define.js";

/** Smallest delay of a span, kept in place of all its pairs. */
interface Point {
  /** Device time, microseconds. */
  readonly device: number;
  /** Host time of arrival minus device time, microseconds. */
  readonly delay: number;
}

/** One point is kept of so much device time: enough pairs that one of them had little delay. */
const spanUs = 500_000;
/** A slope is taken over at least this long. */
const shortestUs = 4 * spanUs;
/** Points kept: two minutes. */
const kept = 240;
/** No crystal is further off: what is beyond is delay, not drift. */
const largestDrift = 1e-3;
/** A change of the delay by more than this is no jitter: the device restarted, or the host's clock was set. */
const stepUs = 2_000_000;

/**
 * Maps a device's clock to the host's. Delay on the way can only add, so the line under all points (arrival minus device time)
 * that comes nearest to them is offset and drift without the jitter: the edge of the lower convex hull over the mean (Moon, Skelly,
 * Towsley, "Estimation and removal of clock skew", INFOCOM 1999). The least delay itself cannot be seen and is in the offset.
 */
export class ClockEstimator {
  readonly #source: ClockFacts["source"];
  #points: Point[] = [];
  #line = { device: 0, delay: 0, slope: 0 };
  #last = 0;
  /** How often the device's clock jumped. */
  restarts = 0;

  constructor(source: ClockFacts["source"] = "device") {
    this.#source = source;
  }

  /** Takes a pair of device and arrival time, both in microseconds, and gives the host time of that device time. */
  add(device: number, arrival: Micros): Micros {
    const delay = arrival - device;
    const expected = this.#points.length === 0 ? delay : this.#delayAt(device);
    if (device < this.#last - stepUs || Math.abs(delay - expected) > stepUs) {
      this.#points = [];
      this.restarts += 1;
    }
    this.#last = device;
    const newest = this.#points.at(-1);
    const opens = !newest || Math.floor(device / spanUs) !== Math.floor(newest.device / spanUs);
    if (opens || delay < newest.delay) {
      if (!opens) this.#points.pop();
      this.#points.push({ device, delay });
      if (this.#points.length > kept) this.#points.shift();
      this.#fit();
    }
    return this.at(device);
  }

  /** The host time of a device time. */
  at(device: number): Micros {
    return micros(device + this.#delayAt(device));
  }

  get facts(): ClockFacts {
    const driftPpm = Number((this.#line.slope * 1e6).toFixed(1));
    return { offsetUs: Math.round(this.#delayAt(this.#last)), driftPpm, source: this.#source };
  }

  #delayAt(device: number): number {
    const { device: from, delay, slope } = this.#line;
    return delay + slope * (device - from);
  }

  #fit(): void {
    const hull = lowerHull(this.#points);
    const middle = (this.#points[0]!.device + this.#points.at(-1)!.device) / 2;
    const right = Math.max(
      hull.findIndex((point) => point.device > middle),
      0,
    );
    const edge = widened(hull, Math.max(right - 1, 0), right);
    const [a, b] = [edge[0]!, edge.at(-1)!];
    const slope = b.device > a.device ? (b.delay - a.delay) / (b.device - a.device) : 0;
    const long = b.device - a.device >= shortestUs && Math.abs(slope) <= largestDrift;
    const level = long ? slope : 0;
    this.#line = { ...lowest(long ? edge : this.#points, level), slope: level };
  }
}

/** The hull from `left` to `right`, and as far beyond on both sides as a slope needs: without jitter its edges are short. */
function widened(hull: readonly Point[], left: number, right: number): readonly Point[] {
  while (hull[right]!.device - hull[left]!.device < shortestUs && right - left < hull.length - 1) {
    left = Math.max(left - 1, 0);
    right = Math.min(right + 1, hull.length - 1);
  }
  return hull.slice(left, right + 1);
}

/** The point that a line of that slope touches from below. */
const lowest = (points: readonly Point[], slope: number): Point =>
  points.reduce((a, b) => (b.delay - slope * b.device < a.delay - slope * a.device ? b : a));

/** The points that a rubber band from below touches, left to right (Andrew's monotone chain). */
function lowerHull(points: readonly Point[]): Point[] {
  const hull: Point[] = [];
  for (const point of points) {
    while (hull.length >= 2 && cross(hull.at(-2)!, hull.at(-1)!, point) <= 0) hull.pop();
    hull.push(point);
  }
  return hull;
}

const cross = (o: Point, a: Point, b: Point): number =>
  (a.device - o.device) * (b.delay - o.delay) - (a.delay - o.delay) * (b.device - o.device);

/** Extends a wrapping 32-bit counter of microseconds to one that does not wrap (each 71.6 minutes). */
export class Unwrap32 {
  #total: number | undefined;

  /** Less than half a turn back counts as back: a frame that came late. */
  extend(raw: number): number {
    if (this.#total === undefined) this.#total = raw;
    else this.#total += (raw - this.#total) | 0;
    return this.#total;
  }
}

/** Corrections of a running stream's time are at most this share of the time that passes. */
const slew = 1e-3;
/** An error beyond this is a gap or an overrun and is jumped. */
const jumpUs = 40_000;
/** A stream this young is still learning its delay, and corrects itself faster. */
const youngUs = 5_000_000;
const youngSlew = 0.05;

/** Times for blocks that follow one another without a gap: by their sample count, steered towards what the clock says. */
export class SteadyTime {
  #next: number | undefined;
  #age = 0;

  /** The time of a block that the clock puts at `measured` and that lasts `span` microseconds. */
  step(measured: Micros, span: number): Micros {
    const error = measured - (this.#next ?? measured);
    const limit = span * (this.#age < youngUs ? youngSlew : slew);
    const time = (this.#next ?? measured) + (Math.abs(error) > jumpUs ? error : clamp(error, limit));
    this.#age = Math.abs(error) > jumpUs ? 0 : this.#age + span;
    this.#next = time + span;
    return micros(time);
  }
}

const clamp = (value: number, limit: number): number => Math.max(-limit, Math.min(limit, value));
