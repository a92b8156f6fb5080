import type { SensorReading } from "../core/reading.js";

/** The newest reading of each sensor, for snapshots. */
export class Newest {
  readonly #readings = new Map<string, SensorReading>();

  note(reading: SensorReading): void {
    this.#readings.set(reading.sensor, reading);
  }

  of(sensor: string): SensorReading | undefined {
    return this.#readings.get(sensor);
  }
}
