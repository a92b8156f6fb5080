import { SenseError } from "../../core/errors.js";
import { type Hertz, hz } from "../../core/time.js";
import { readBytes } from "./bytes.js";
import { readNpy } from "./npy.js";
import { parseCsv } from "./series-csv.js";

/** The channels of an inertial sensor, in the order that everything here uses: m/s², then rad/s. */
export const imuChannels = ["ax", "ay", "az", "gx", "gy", "gz"] as const;

/** Named channels over time, interleaved: `data[t * channels.length + c]`. */
export interface Series {
  readonly rate: Hertz;
  readonly channels: readonly string[];
  readonly data: Float32Array;
  /** When each sample was taken, in the file's own seconds, if it says so. */
  readonly times: Float64Array | undefined;
  /** The file holds integers that no `scale` was given for: they may be raw counts. */
  readonly counts: boolean;
}

export interface SeriesOptions {
  readonly channels?: readonly string[];
  /** Samples a second; needed for .npy and for a CSV without times, and wins over a CSV's times. */
  readonly rate?: number | undefined;
  /** What a raw value is multiplied with to become m/s² or rad/s: one factor, or one a channel. */
  readonly scale?: number | readonly number[] | undefined;
}

/**
 * Reads an inertial or other series: CSV `time,ax,ay,az,gx,gy,gz` (columns found by name, in any order) or `.npy[.gz]` of shape
 * [T, channels]. Throws `BAD_TENSOR`, `FILE_UNREADABLE`.
 */
export async function readSeries(
  path: string,
  { channels = imuChannels, rate, scale }: SeriesOptions = {},
): Promise<Series> {
  const raw = /\.npy(\.gz)?$/.test(path)
    ? { ...(await readArray(path, channels)), times: undefined }
    : parseCsv(new TextDecoder().decode(await readBytes(path)), { channels, source: path });
  const actual = rate ?? (raw.times && rateOf(raw.times));
  if (actual === undefined) {
    throw new SenseError("BAD_TENSOR", `${path} does not say how many samples a second it has`, {
      hint: "Give it: --rate 200, or `rate: 200` in the configuration.",
    });
  }
  const factors = factorsOf(scale, channels);
  const data = Float32Array.from(raw.data, (value, i) => value * factors[i % channels.length]!);
  const broken = data.findIndex((value) => !Number.isFinite(value));
  if (broken >= 0) {
    const [row, column] = [Math.floor(broken / channels.length), channels[broken % channels.length]];
    throw new SenseError("BAD_TENSOR", `${path} has no number at sample ${row}, channel ${column}`, {
      hint: "Leave samples without values out: the gap is seen from the times.",
    });
  }
  return { rate: hz(actual), channels, data, times: raw.times, counts: raw.counts && scale === undefined };
}

async function readArray(path: string, channels: readonly string[]): Promise<{ data: number[]; counts: boolean }> {
  const { dims, data } = await readNpy(path);
  if (dims.length !== 2 || dims[1] !== channels.length || dims[0] === 0) {
    const turned = dims.length === 2 && dims[0] === channels.length;
    throw new SenseError(
      "BAD_TENSOR",
      `${path} has shape [${dims.join(", ")}], expected [T, ${channels.length}] for ${channels.join(" ")}`,
      { hint: turned ? "Save the transpose, x.T: reshaping would mix the channels." : "One row a sample." },
    );
  }
  return { data: Array.from(data as ArrayLike<number | bigint>, Number), counts: !(data instanceof Float32Array) };
}

/** Mean of the steps that are no gaps, so that neither gaps nor times rounded to a millisecond bend the rate. */
function rateOf(times: Float64Array): number | undefined {
  if (times.length < 2) return undefined;
  const steps = Array.from({ length: times.length - 1 }, (_, i) => times[i + 1]! - times[i]!);
  const median = steps.toSorted((a, b) => a - b)[steps.length >> 1]!;
  const whole = steps.filter((step) => step < 1.5 * median);
  const rate = (whole.length || 1) / whole.reduce((sum, step) => sum + step, 0);
  return Number(rate.toPrecision(6));
}

function factorsOf(scale: number | readonly number[] = 1, channels: readonly string[]): readonly number[] {
  const factors = typeof scale === "number" ? channels.map(() => scale) : scale;
  if (factors.length !== channels.length || !factors.every(Number.isFinite)) {
    throw new SenseError("BAD_ARGUMENT", `scale has ${factors.length} factors for ${channels.length} channels`, {
      hint: `Give one factor, or one for each of ${channels.join(" ")}.`,
    });
  }
  return factors;
}
