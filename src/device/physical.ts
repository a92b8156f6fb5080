import type { Frame, Reading } from "../core/reading.js";
import { celsiusOf, type Radiometry } from "./decode/thermal.js";
import type { DeviceFacts } from "./define.js";

export interface PhysicalOptions {
  /** Metres of one step of a depth sensor. */
  readonly unit: number;
  /** What the steps of a thermal sensor are; raw counts unless given. */
  readonly radiometry?: Radiometry | undefined;
  readonly tell?: ((facts: DeviceFacts) => void) | undefined;
}

/**
 * Raw 16-bit frames as metres or °C. A thermal frame that is the very copy of the one before is dropped: while its shutter is shut
 * for the flat-field correction, a Lepton repeats its last frame, and no noise ever repeats itself (FLIR Lepton engineering data sheet, FFC).
 */
export async function* physical(readings: AsyncIterable<Reading>, options: PhysicalOptions): AsyncGenerator<Reading> {
  let last: Frame | undefined;
  let repeated = 0;
  for await (const reading of readings) {
    if (reading.kind !== "frame" || reading.format !== "gray16") yield reading;
    else if (reading.modality === "depth") {
      const data = Float32Array.from(reading.data, (steps) => (steps === 0 ? Number.NaN : steps * options.unit));
      yield { ...reading, format: "float32", data };
    } else if (last && sameBytes(last.data, reading.data)) {
      repeated += 1;
      options.tell?.({ note: `${repeated} repeated frames dropped (shutter)` });
    } else {
      last = reading;
      yield { ...reading, ...celsiusOf({ ...reading, data: reading.data as Uint16Array }, options.radiometry) };
    }
  }
}

const sameBytes = (a: Frame["data"], b: Frame["data"]): boolean =>
  Buffer.compare(
    new Uint8Array(a.buffer, a.byteOffset, a.byteLength),
    new Uint8Array(b.buffer, b.byteOffset, b.byteLength),
  ) === 0;
