import type * as z from "zod";
import type { Log } from "../core/log.js";
import type { Modality } from "../core/modality.js";
import type { Reading } from "../core/reading.js";
import type { Clock } from "../core/time.js";

/** What a device is given beside its options. */
export interface DeviceContext {
  readonly signal: AbortSignal;
  readonly clock: Clock;
  readonly log: Log;
  /** Relative paths in options start here: the folder of the configuration, or the working directory. */
  readonly folder: string;
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
  readings(options: Options, context: DeviceContext): AsyncIterable<Reading>;
  discover?(): Promise<readonly FoundDevice[]>;
}

/** Declares an adapter; the default export of a file in devices/. */
export function defineDevice<Options>(device: Device<Options>): Device<Options> {
  return device;
}
