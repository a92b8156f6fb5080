import { isSenseError, SenseError } from "../core/errors.js";
import type { SensorReading } from "../core/reading.js";
import { decodeReading, RecordedSensor } from "../core/recording.js";
import { micros } from "../core/time.js";
import { unreadable } from "./decode/bytes.js";
import { type McapDamage, readMcap } from "./mcap.js";

/** What a replay found, beside the readings. */
export interface ReplayReport {
  readonly readings: number;
  /** Messages that are no readings, or of channels that are no sensors. */
  readonly skipped: number;
  /** Set where the file is cut off or damaged: what is intact was replayed; the first reason, and the bytes lost in all. */
  readonly damage: McapDamage | undefined;
}

export interface ReplayOptions {
  /** Only the readings of this sensor. */
  readonly sensor?: string | undefined;
  /** Called once, when the file has been read. */
  readonly report?: (report: ReplayReport) => void;
}

/**
 * The readings of a recording in the order they were written, in bounded memory; of one that is damaged or cut off, what is intact.
 * Throws `FILE_UNREADABLE`, and `BAD_RECORDING` if it is no recording or nothing in it could be read.
 */
export async function* replayReadings(
  path: string,
  { sensor, report = () => {} }: ReplayOptions = {},
): AsyncGenerator<SensorReading> {
  let damage: McapDamage | undefined;
  let readings = 0;
  let skipped = 0;
  const sensors = new Map<number, string>();
  for await (const record of records(path, ({ reason, lost }) => {
    damage = { reason: damage?.reason ?? reason, lost: (damage?.lost ?? 0) + lost };
  })) {
    if (record.type === "Channel") {
      const name = record.metadata.get("sensor");
      if (name !== undefined) sensors.set(record.id, name);
    }
    if (record.type !== "Message") continue;
    const name = sensors.get(record.channelId);
    if (name !== undefined && sensor !== undefined && name !== sensor) continue;
    const reading = name === undefined ? undefined : readingOf(record);
    if (name === undefined || reading === undefined) skipped += 1;
    else {
      readings += 1;
      yield { sensor: name, seq: record.sequence, reading };
    }
  }
  if (sensors.size === 0 || (readings === 0 && (damage || skipped > 0))) throw useless(path, damage);
  report({ readings, skipped, damage });
}

/** The sensors of a recording by their ids. Throws `FILE_UNREADABLE`, `BAD_RECORDING`. */
export async function recordedSensors(path: string): Promise<Readonly<Record<string, RecordedSensor>>> {
  const sensors: Record<string, RecordedSensor> = {};
  for await (const record of records(path, () => {})) {
    if (record.type === "Message") break;
    if (record.type !== "Channel") continue;
    const about = Object.fromEntries(record.metadata);
    const parsed = RecordedSensor.safeParse(about);
    if (about.sensor !== undefined && parsed.success) sensors[about.sensor] = parsed.data;
  }
  if (Object.keys(sensors).length === 0) throw useless(path, undefined);
  return sensors;
}

async function* records(path: string, onDamage: (damage: McapDamage) => void): ReturnType<typeof readMcap> {
  try {
    yield* readMcap(path, onDamage);
  } catch (cause) {
    if (cause instanceof Error && "syscall" in cause) throw unreadable(path, cause as NodeJS.ErrnoException);
    throw cause;
  }
}

function readingOf({ data, logTime }: { data: Uint8Array; logTime: bigint }) {
  try {
    return decodeReading(data, micros(Number(logTime / 1000n)));
  } catch (error) {
    if (!isSenseError(error, "BAD_RECORDING")) throw error;
    return undefined;
  }
}

function useless(path: string, damage: McapDamage | undefined): SenseError {
  const why = damage ? `holds no reading: ${damage.reason}` : "is not a recording of SenseBind";
  return new SenseError("BAD_RECORDING", `${path} ${why}`, { hint: "Make one with: sensebind record" });
}
