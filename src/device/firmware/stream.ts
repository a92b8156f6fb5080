import type { Reading } from "../../core/reading.js";
import { type Clock, type Micros, micros } from "../../core/time.js";
import { ClockEstimator, Unwrap32 } from "../clock.js";
import type { DeviceFacts } from "../define.js";
import { Deframer } from "./deframe.js";
import { encodeFrame } from "./frame.js";
import { frameReading } from "./reading.js";
import type { FirmwareSchema } from "./schema.js";

/** An answer that took longer says nothing: one second. */
const longestRoundTrip = 1e6;

export interface FrameStreamOptions {
  readonly clock: Clock;
  /** The schema of time synchronisation, where the device answers to it. */
  readonly timesync?: FirmwareSchema | undefined;
  readonly tell: (facts: DeviceFacts) => void;
}

/** Turns the bytes of a device that sends one schema into readings with event time, and tells what was lost. */
export class FrameStream {
  readonly #schema: FirmwareSchema;
  readonly #options: FrameStreamOptions;
  readonly #deframer: Deframer;
  readonly #estimator = new ClockEstimator();
  readonly #unwrap = new Unwrap32();
  #pings = 0;
  #last: Micros = micros(0);

  constructor(schema: FirmwareSchema, options: FrameStreamOptions) {
    this.#schema = schema;
    this.#options = options;
    this.#deframer = new Deframer(schema, options.timesync);
  }

  /** A question for the time, to be sent at once; undefined without a schema for it. */
  ping(): Uint8Array | undefined {
    const { timesync, clock } = this.#options;
    const now = clock.now() % 2 ** 32;
    return timesync && encodeFrame(timesync, { seq: this.#pings++, time: now, fields: { echo: [now] } });
  }

  /** The readings that these bytes complete. */
  push(bytes: Uint8Array): Reading[] {
    const arrival = this.#options.clock.now();
    const frames = this.#deframer.push(bytes);
    const devices = frames.map((frame) => this.#unwrap.extend(frame.time));
    for (const { time, fields } of this.#deframer.takeAnswers()) {
      // The answer was given half the way back; so small a delay wins against those of the readings.
      const roundTrip = (arrival - fields.echo![0]!) % 2 ** 32;
      if (roundTrip < longestRoundTrip) this.#estimator.add(this.#unwrap.extend(time), micros(arrival - roundTrip / 2));
    }
    const guesses = devices.map((device) => ({
      time: this.#estimator.add(device, arrival),
      era: this.#estimator.restarts,
    }));
    const readings = frames.map((frame, i) => {
      const { time: guess, era } = guesses[i]!;
      // Of a burst the newest frame knows the delay best; nothing was measured after it arrived, and event time never goes back.
      const best = era === this.#estimator.restarts ? this.#estimator.at(devices[i]!) : guess;
      const time = micros(Math.max(Math.min(best, arrival), this.#last + 1));
      this.#last = time;
      return frameReading(this.#schema, frame, time);
    });
    const { lost, corrupt } = this.#deframer.counts;
    this.#options.tell({ lost, corrupt, clock: this.#estimator.facts });
    return readings.filter((reading) => reading !== undefined);
  }
}
