import { setTimeout as pause } from "node:timers/promises";
import type { Config } from "../../config.js";
import { printDuration } from "../../core/duration.js";
import { isSenseError, SenseError } from "../../core/errors.js";
import { merge } from "../../core/stream.js";
import { type Duration, minutes, s, us } from "../../core/time.js";
import { recordReadings } from "../../device/record.js";
import { replayReadings } from "../../device/replay.js";
import type { Supervised } from "../../device/supervise.js";
import { openSensors } from "../../pipeline/sensors.js";
import { systemClock } from "../edge.js";
import type { LoadedConfig } from "../load-config.js";
import { stderrLog } from "../pino.js";

export interface RecordForOptions {
  readonly sensors: readonly string[];
  readonly duration: Duration;
  /** Of the bundle that is made; recordings lie beside it. */
  readonly out: string;
  readonly signal: AbortSignal;
  readonly verbose: boolean;
  /** Share done, and readings by sensor. */
  readonly onProgress: (done: number, counts: Readonly<Record<string, number>>) => void;
  readonly note: (text: string) => void;
}

/** A sensor that gives nothing for so long at the beginning is not waited for. */
const soonest = minutes(1);

/** Less than this is not worth opening the devices once more for. */
const least = s(1);

/**
 * Records some sensors of a configuration until there is so much of them, crash-safe; what an earlier run of the same command
 * recorded counts. Gives the pieces. Throws `DEVICE_FAILED` where a sensor gave nothing.
 */
export async function recordFor(loaded: LoadedConfig, options: RecordForOptions): Promise<readonly string[]> {
  const { duration, out, sensors, note } = options;
  const paths: string[] = [];
  let left: number = duration;
  for (;;) {
    const path = pieceOf(out, paths.length);
    const found = await lengthOf(path, sensors);
    if (found === undefined) {
      if (left < least && paths.length > 0) return paths;
      if (paths.length > 0) {
        note(`goes on from ${paths.join(", ")}: ${text(duration - left)} are recorded, ${text(left)} are left`);
      }
      const counts = await record(loaded, { ...options, path, duration: us(left) });
      const silent = sensors.find((sensor) => counts[sensor] === 0);
      if (silent === undefined || options.signal.aborted) return [...paths, path];
      throw new SenseError("DEVICE_FAILED", `${silent} gave nothing in ${text(Math.min(left, soonest))}`, {
        hint: "Check it with `sensebind devices` and `sensebind probe`; --verbose tells what it did.",
      });
    }
    paths.push(path);
    left -= found;
  }
}

/** Where the recordings of a calibration lie. */
export const pieceOf = (out: string, number: number): string =>
  number === 0 ? `${out}.recording.mcap` : `${out}.recording-${number + 1}.mcap`;

/** How long all of the sensors were recorded; nothing where one of them was not, which is not gone on from. */
async function lengthOf(path: string, sensors: readonly string[]): Promise<number | undefined> {
  const spans = new Map<string, { readonly first: number; last: number }>();
  try {
    for await (const { sensor, reading } of replayReadings(path)) {
      const known = spans.get(sensor);
      if (known === undefined) spans.set(sensor, { first: reading.time, last: reading.time });
      else known.last = Math.max(known.last, reading.time);
    }
  } catch (error) {
    // A run that was killed before its first reading was on disk left nothing to keep.
    if (isSenseError(error, "FILE_UNREADABLE") || isSenseError(error, "BAD_RECORDING")) return undefined;
    throw error;
  }
  const lengths = sensors.map((sensor) => spans.get(sensor)).map((span) => span && span.last - span.first);
  return lengths.reduce((a, b) => (a === undefined || b === undefined ? undefined : Math.min(a, b)));
}

interface PieceOptions extends RecordForOptions {
  readonly path: string;
}

async function record(
  { config, folder }: LoadedConfig,
  { sensors, duration, path, signal, verbose, onProgress, note }: PieceOptions,
): Promise<Readonly<Record<string, number>>> {
  const sayHealth = healthTold(note);
  const chosen: Config["sensors"] = Object.fromEntries(sensors.map((id) => [id, config.sensors[id]!]));
  const stop = new AbortController();
  const abort = (): void => stop.abort();
  signal.addEventListener("abort", abort, { once: true });
  if (signal.aborted) abort();
  const counts = Object.fromEntries(sensors.map((sensor) => [sensor, 0]));
  const clock = systemClock();
  const began = clock.now();
  const timer = setTimeout(abort, duration / 1e3);
  let telling: Promise<void> | undefined;
  try {
    const edge = { signal: stop.signal, clock, log: stderrLog({ verbose }), folder };
    const { readings } = await openSensors({ sensors: chosen }, edge);
    telling = everySecond(stop.signal, () => {
      onProgress(Math.min(1, (clock.now() - began) / duration), counts);
      sayHealth(readings);
      if (clock.now() - began > soonest && Object.values(counts).includes(0)) abort();
    });
    const about = Object.fromEntries(
      Object.entries(chosen).map(([id, { modality, device }]) => [id, { modality, device }]),
    );
    await using recorder = await recordReadings(path, { node: config.node, sensors: about });
    for await (const reading of merge([...readings.values()], abort)) {
      await recorder.write(reading);
      counts[reading.sensor]! += 1;
    }
    await recorder.finish();
  } finally {
    abort();
    clearTimeout(timer);
    signal.removeEventListener("abort", abort);
    await telling;
  }
  return counts;
}

async function everySecond(signal: AbortSignal, work: () => void): Promise<void> {
  while (!signal.aborted) {
    await pause(s(1) / 1e3, undefined, { signal }).catch(() => {});
    if (!signal.aborted) work();
  }
}

/** Seconds that a sensor may be silent before that is said: a camera takes a while to come up. */
const patience = 3;

/** Says when a sensor falls silent, and when it is back: whoever leaves for twenty minutes wants to know at once. */
function healthTold(note: (text: string) => void): (sensors: ReadonlyMap<string, Supervised>) => void {
  const silent = new Map<string, number>();
  return (sensors) => {
    for (const [sensor, { health }] of sensors) {
      const seconds = silent.get(sensor) ?? 0;
      if (health.state === "ok") {
        if (seconds >= patience) note(`${sensor} is back`);
        silent.delete(sensor);
      } else {
        silent.set(sensor, seconds + 1);
        if (seconds + 1 === patience) note(`${sensor} is ${health.state}: ${health.reason}`);
      }
    }
  };
}

const text = (span: number): string => (span < 5e5 ? "0s" : printDuration(us(Math.round(span / 1e6) * 1e6)));
