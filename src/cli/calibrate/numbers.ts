import { SenseError } from "../../core/errors.js";
import type { SensorReading } from "../../core/reading.js";

/** More than this share of a sensor's readings being no numbers, the sensor is at fault; fewer are filled from their neighbours. */
const most = 0.05;

/** Counts the readings of samples that are no numbers; of a map a hole is a reading too. */
export class Numbers {
  #all = 0;
  #none = 0;

  async *counted(readings: AsyncIterable<SensorReading>): AsyncGenerator<SensorReading> {
    for await (const given of readings) {
      if (given.reading.kind === "block") {
        this.#all += given.reading.data.length;
        for (const value of given.reading.data) if (!Number.isFinite(value)) this.#none += 1;
      }
      yield given;
    }
  }

  /** Throws `BAD_PAIRS` where too many were none. */
  check(sensor: string): void {
    if (this.#none <= most * this.#all) return;
    const share = ((100 * this.#none) / this.#all).toFixed(1);
    throw new SenseError("BAD_PAIRS", `${share} % of the readings of ${sensor} are NaN or infinite values`, {
      hint: "Check the wiring and the adapter; a value that was not read must not be sent.",
    });
  }
}
