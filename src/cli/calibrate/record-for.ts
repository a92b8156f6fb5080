import { setTimeout as pause } from "node:timers/promises";
import type { Config } from "../../config.js";
import { printDuration } from "../../core/duration.js";
import { isSenseError, SenseError } from "../../core/errors.js";
import { merge } from "../../core/stream.js";
import { type Duration, s, us } from "../../core/time.js";
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
    const found = await lengthOf(path);
    if (found === undefined) {
      if (left < least && paths.length > 0) return paths;
      if (paths.length > 0) {
        note(`goes on from ${paths.join(", ")}: ${text(duration - left)} are recorded, ${text(left)} are left`);
      }
      const counts = await record(loaded, { ...options, path, duration: us(left) });
      const silent = paths.length === 0 ? sensors.find((sensor) => counts[sensor] === 0) : undefined;
      if (silent === undefined || options.signal.aborted) return [...paths, path];
      throw new SenseError("DEVICE_FAILED", `${silent} gave nothing in ${text(left)}`, {
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

/** From the first to the last reading of a recording; nothing where there is none that could be gone on from. */
async function lengthOf(path: string): Promise<number | undefined> {
  let [first, last] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  try {
    for await (const { reading } of replayReadings(path)) {
      first = Math.min(first, reading.time);
      last = Math.max(last, reading.time);
    }
  } catch (error) {
    // A run that was killed before its first reading was on disk left nothing to keep.
    if (isSenseError(error, "FILE_UNREADABLE") || isSenseError(error, "BAD_RECORDING")) return undefined;
    throw error;
  }
  return last >= first ? last - first : undefined;
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

/** Says when a sensor falls silent, and when it is back: whoever leaves for twenty minutes wants to know at once. */
function healthTold(note: (text: string) => void): (sensors: ReadonlyMap<string, Supervised>) => void {
  const silent = new Set<string>();
  return (sensors) => {
    for (const [sensor, { health }] of sensors) {
      const isBack = health.state === "ok";
      if (isBack === !silent.has(sensor)) continue;
      if (isBack) silent.delete(sensor);
      else silent.add(sensor);
      note(isBack ? `${sensor} is back` : `${sensor} is ${health.state}: ${health.reason}`);
    }
  };
}

const text = (span: number): string => printDuration(us(Math.round(span / 1e6) * 1e6));
