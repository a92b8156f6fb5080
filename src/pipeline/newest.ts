import type { SensorReading } from "../core/reading.js";

/** The newest reading of each sensor, for snapshots. */
export class Newest {
  readonly #readings = new Map<string, SensorReading>();

  /** Lets readings pass and remembers the last. */
  async *watch(readings: AsyncIterable<SensorReading>): AsyncGenerator<SensorReading> {
    for await (const reading of readings) {
      this.#readings.set(reading.sensor, reading);
      yield reading;
    }
  }

  of(sensor: string): SensorReading | undefined {
    return this.#readings.get(sensor);
  }
}
