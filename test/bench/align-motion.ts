import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { openBundle } from "../../models/build/bundle-runner.js";
import { activityConcepts, type ImuConcept } from "../../models/build/imu-concepts.js";
import { readTable } from "../../models/build/table.js";
import type { Pair, Split } from "../../src/align/pairs/pair.js";
import type { UnitVector } from "../../src/core/embedding.js";
import { decodeNpy } from "../../src/core/npy.js";
import { tensor } from "../../src/core/tensor.js";
import { micros } from "../../src/core/time.js";
import { resampleSeries } from "../../src/window/series.js";

/** What a recording shows, by seven things that a user would ask for. */
const sevenActivities: Readonly<Partial<Record<ImuConcept, string>>> = {
  fall: "a person falls",
  walk: "a person walks",
  jog: "a person jogs",
  stairs: "a person walking up and down stairs",
  sit: "a person sits down on a chair",
  lie: "a person lying down",
  jump: "a person jumps",
};

/** A window of a recording and the sentence that describes the recording. */
export interface MotionPair extends Pair {
  readonly recording: string;
  readonly sentence: string;
  /** Index into the seven activities; -1 for a recording of none of them. */
  readonly label: number;
}

export interface MotionPairs extends Split {
  readonly train: readonly MotionPair[];
  readonly heldOut: readonly MotionPair[];
  /** The seven activities as words, and where nano puts these. */
  readonly activities: readonly { readonly words: string; readonly vector: UnitVector }[];
}

export interface MotionOptions {
  /** The subject who is held out. */
  readonly subject?: string;
  /** Windows of one recording, evenly spread; of a fall only such as hold its impact. */
  readonly windows?: number;
  readonly bundle?: string;
}

const rate = 50;
const steps = 400;
const channels = 6;

/**
 * Windows of 8 s `[1, 6, 400]` at 50 Hz, m/s² then rad/s, of four adults, with the sentence of the recording as anchor; a scene is a
 * sentence, a visit a recording.
 */
export async function imuPairs(data: string, options: MotionOptions = {}): Promise<MotionPairs> {
  const { subject = "SA05", windows = 5, bundle = "models/nano" } = options;
  const folder = join(data, "imu");
  const rows = await readTable(join(folder, "recordings.csv"));
  const sentences = [...new Set(rows.map(({ sentence }) => sentence!))];
  const nano = await openBundle(bundle);
  const vectors = await nano.texts(sentences);
  const names = Object.keys(sevenActivities);
  const sides = { train: [] as MotionPair[], heldOut: [] as MotionPair[] };
  for (const [visit, row] of rows.entries()) {
    const planes = await readPlanes(join(folder, row.file!), row);
    const scene = sentences.indexOf(row.sentence!);
    const concept = row.kind === "fall" ? "fall" : activityConcepts[row.activity!];
    const common = {
      scene,
      visit,
      anchor: vectors[scene]!,
      recording: row.file!,
      sentence: row.sentence!,
      label: names.indexOf(concept!),
    };
    for (const start of startsOf(planes, { fall: row.kind === "fall", windows })) {
      const input = new Float32Array(channels * steps);
      for (const [c, plane] of planes.entries()) input.set(plane.subarray(start, start + steps), c * steps);
      const time = micros(visit * 3600e6 + ((start + steps / 2) * 1e6) / rate);
      const side = row.subject === subject ? sides.heldOut : sides.train;
      side.push({ ...common, time, sensor: tensor([1, channels, steps], input) });
    }
  }
  const words = Object.values(sevenActivities);
  const asked = await nano.texts(words);
  return { ...sides, activities: words.map((words, i) => ({ words, vector: asked[i]! })) };
}

/** SI units from SisFall's raw counts, at the rate of the windows. */
async function readPlanes(path: string, row: Readonly<Record<string, string>>): Promise<Float32Array[]> {
  const { dims, data } = decodeNpy(gunzipSync(await readFile(path)));
  const accel = Number(row.accel_g_per_count) * 9.80665;
  const gyro = (Number(row.gyro_dps_per_count) * Math.PI) / 180;
  return Array.from({ length: channels }, (_, c) => {
    const factor = c < 3 ? accel : gyro;
    const plane = Float32Array.from({ length: dims[0]! }, (_, t) => Number(data[t * channels + c]!) * factor);
    return resampleSeries(plane, { from: Number(row.rate_hz), to: rate });
  });
}

/** First samples of the windows; those of a fall have its strongest impact at least half a second inside. */
function startsOf(planes: readonly Float32Array[], { fall, windows }: { fall: boolean; windows: number }): number[] {
  const last = planes[0]!.length - steps;
  let [from, to] = [0, last];
  if (fall) {
    const [ax, ay, az] = planes as [Float32Array, Float32Array, Float32Array];
    const sizes = ax.map((x, t) => Math.hypot(x, ay[t]!, az[t]!));
    const impact = sizes.reduce((best, size, t) => (size > sizes[best]! ? t : best), 0);
    from = Math.min(last, Math.max(0, impact - steps + rate / 2));
    to = Math.min(last, Math.max(from, impact - rate / 2));
  }
  return Array.from({ length: windows }, (_, i) => Math.round(from + ((to - from) * (i + 0.5)) / windows));
}
