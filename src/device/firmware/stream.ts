import type { Reading } from "../../core/reading.js";
import { type Clock, type Micros, micros } from "../../core/time.js";
import { ClockEstimator, Unwrap32 } from "../clock.js";
import type { DeviceFacts } from "../define.js";
import { Deframer } from "./deframe.js";
import { frameReading } from "./reading.js";
import type { FirmwareSchema } from "./schema.js";

export interface FrameStreamOptions {
  readonly clock: Clock;
  readonly tell: (facts: DeviceFacts) => void;
}

/** Turns the bytes of a device that sends one schema into readings with event time, and tells what was lost. */
export class FrameStream {
  readonly #schema: FirmwareSchema;
  readonly #options: FrameStreamOptions;
  readonly #deframer: Deframer;
  readonly #estimator = new ClockEstimator();
  readonly #unwrap = new Unwrap32();
  #last: Micros = micros(0);

  constructor(schema: FirmwareSchema, options: FrameStreamOptions) {
    this.#schema = schema;
    this.#options = options;
    this.#deframer = new Deframer(schema);
  }

  /** The readings that these bytes complete. */
  push(bytes: Uint8Array): Reading[] {
    const arrival = this.#options.clock.now();
    const frames = this.#deframer.push(bytes);
    const devices = frames.map((frame) => this.#unwrap.extend(frame.time));
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
