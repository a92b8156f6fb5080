import { Buffer } from "node:buffer";
import { SenseError } from "../core/errors.js";
import type { SensorReading } from "../core/reading.js";
import { encodeReading, type RecordedSensor, readingSchema } from "../core/recording.js";
import { type Duration, s } from "../core/time.js";
import { McapFile } from "./mcap.js";

export interface RecordOptions {
  readonly node: string;
  /** By sensor id; a reading of a sensor that is not here is refused. */
  readonly sensors: Readonly<Record<string, RecordedSensor>>;
  /** How much a kill or a power cut may cost. */
  readonly flushEvery?: Duration;
}

/** A recording that is being written. */
export interface Recorder extends AsyncDisposable {
  /** Adds a reading; readings may come from several sensors at once. Throws `FILE_UNWRITABLE`, `BAD_ARGUMENT`. */
  write(reading: SensorReading): Promise<void>;
  /** Adds the index and closes the file. Disposing does the same. */
  finish(): Promise<void>;
}

/**
 * Opens a recording for writing: one MCAP channel a sensor, `sensor/<id>`, messages as core/recording.ts lays them out. Everything
 * older than `flushEvery` survives a kill of the process and a power cut. Throws `FILE_UNWRITABLE`.
 */
export async function recordReadings(
  path: string,
  { node, sensors, flushEvery = s(1) }: RecordOptions,
): Promise<Recorder> {
  const channelIds = new Map(Object.keys(sensors).map((sensor, id) => [sensor, id]));
  const unwritable = (cause: unknown) => unwritableFile(path, cause);
  const file = await McapFile.create(path, {
    profile: "sensebind",
    schema: { name: "sensebind.Reading.v1", encoding: "text", data: Buffer.from(readingSchema) },
    channels: Object.entries(sensors).map(([sensor, about]) => ({
      topic: `sensor/${sensor}`,
      messageEncoding: "sensebind.Reading.v1",
      metadata: new Map(Object.entries({ sensor, ...about })),
    })),
    metadata: { name: "sensebind", metadata: new Map([["node", node]]) },
  }).catch((cause: unknown) => {
    throw unwritable(cause);
  });

  let last: Promise<void> = Promise.resolve();
  let failure: SenseError | undefined;
  let finished: Promise<void> | undefined;
  /** One write at a time, in the order of the calls; after a failure none. */
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const done = last.then(() => {
      if (failure) throw failure;
      return work().catch((cause: unknown) => {
        failure = unwritable(cause);
        throw failure;
      });
    });
    last = done.catch(() => {});
    return done;
  };
  const timer = setInterval(() => void inTurn(() => file.flush()).catch(() => {}), flushEvery / 1e3);
  timer.unref();

  const finish = (): Promise<void> => {
    clearInterval(timer);
    finished ??= inTurn(() => file.finish()).catch(async (error: unknown) => {
      await file.close().catch(() => {});
      throw error;
    });
    return finished;
  };
  return {
    async write({ sensor, seq, reading }) {
      const channelId = channelIds.get(sensor);
      if (channelId === undefined || finished) {
        throw new SenseError(
          "BAD_ARGUMENT",
          `the recording ${path} ${finished ? "is closed" : `has no sensor "${sensor}"`}`,
        );
      }
      // Nanoseconds, as MCAP counts; a sequence number has 32 bits there.
      const logTime = BigInt(reading.time) * 1000n;
      const data = encodeReading(reading);
      await inTurn(() => file.add({ channelId, sequence: seq >>> 0, logTime, publishTime: logTime, data }));
    },
    finish,
    async [Symbol.asyncDispose]() {
      await finish().catch((error: unknown) => {
        // Whoever wrote last was told already: another error on the way out would hide the first.
        if (error !== failure) throw error;
      });
    },
  };
}

function unwritableFile(path: string, cause: unknown): SenseError {
  const why = cause instanceof Error ? ((cause as NodeJS.ErrnoException).code ?? cause.message) : String(cause);
  return new SenseError("FILE_UNWRITABLE", `${path} cannot be written (${why})`, {
    hint: why === "ENOSPC" ? "Free space on the disk." : "Check that the folder exists and may be written to.",
    cause,
  });
}
