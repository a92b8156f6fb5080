import type * as z from "zod";
import type { Log } from "../core/log.js";
import type { Modality } from "../core/modality.js";
import type { Reading } from "../core/reading.js";
import type { Clock } from "../core/time.js";

/** How a device's own clock stands to the host's. */
export interface ClockFacts {
  /**
   * Host time minus device time at the last reading, in microseconds; for a stream whose timestamps count from anywhere (GStreamer,
   * ffmpeg, a sample count), how much that has changed since its first.
   */
  readonly offsetUs: number;
  /** How much faster the host's clock runs, in parts per million. */
  readonly driftPpm: number;
  /** Where event times come from: the device's own clock, the moment of arrival, or the file. */
  readonly source: "device" | "arrival" | "file";
}

/** What a device knows about itself beside its readings; counts are totals since it was opened. */
export interface DeviceFacts {
  /** Readings or samples that the device sent, or should have, and that never came. */
  readonly lost?: number;
  /** Frames or files that came damaged and were dropped. */
  readonly corrupt?: number;
  readonly clock?: ClockFacts;
  /** What decodes an encoded stream: `node-webcodecs`, `ffmpeg`. */
  readonly decoder?: string;
  /** Anything else worth a line in `probe` and in the status: a clipped microphone, a shutter. */
  readonly note?: string;
}

/** What a device is given beside its options. */
export interface DeviceContext {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** Relative paths in options start here: the folder of the configuration, or the working directory. */
  readonly folder: string;
  /** What the sensor is configured as; absent in `probe`. */
  readonly modality?: Exclude<Modality, "text"> | undefined;
  /** Takes what the device finds out about itself, as often as it changes. */
  readonly tell?: ((facts: DeviceFacts) => void) | undefined;
}

/** Something plugged into this machine that an adapter can open. */
export interface FoundDevice {
  readonly title: string;
  /** Options that open it: what `probe` and the configuration take. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** An adapter: hardware (or a file) on one side, readings with event time on the other. */
export interface Device<Options = unknown> {
  readonly name: string;
  readonly title: string;
  /** What it can yield. */
  readonly modalities: readonly Exclude<Modality, "text">[];
  readonly options: z.ZodType<Options>;
  /** `all`: nothing may be dropped, the reader slows the source (recordings); `latest`: live, old readings give way. */
  readonly delivery: "all" | "latest";
  /** Ends where there is nothing more to come (a file); throws `DEVICE_ABSENT` or `DEVICE_FAILED` where it should have gone on. */
  readings(options: Options, context: DeviceContext): AsyncIterable<Reading>;
  discover?(): Promise<readonly FoundDevice[]>;
}

/** Declares an adapter; the default export of a file in devices/. */
export function defineDevice<Options>(device: Device<Options>): Device<Options> {
  return device;
}
