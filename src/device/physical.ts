import type { Frame, Intrinsics, Reading } from "../core/reading.js";
import { celsiusOf } from "./decode/thermal.js";
import type { DeviceFacts } from "./define.js";
import { withIntrinsics } from "./intrinsics.js";
import { type RadiometryOption, radiometryOf } from "./radiometry-option.js";

export interface PhysicalOptions {
  /** Metres of one step of a depth sensor; a millimetre unless given. */
  readonly unit?: number | undefined;
  /** What the steps of a thermal sensor are; raw counts unless given. */
  readonly radiometry?: RadiometryOption | undefined;
  /** Of a depth sensor. */
  readonly intrinsics?: Intrinsics | undefined;
  readonly tell?: ((facts: DeviceFacts) => void) | undefined;
}

/**
 * Raw 16-bit frames as metres or °C. A thermal frame that is the very copy of the one before is dropped: while its shutter is shut
 * for the flat-field correction, a Lepton repeats its last frame, and no noise ever repeats itself (FLIR Lepton engineering data sheet, FFC).
 */
export async function* physical(readings: AsyncIterable<Reading>, options: PhysicalOptions): AsyncGenerator<Reading> {
  const { unit = 0.001, intrinsics, tell = () => {} } = options;
  const radiometry = radiometryOf(options.radiometry);
  let last: Frame | undefined;
  let repeated = 0;
  for await (const reading of readings) {
    if (reading.kind !== "frame" || reading.format !== "gray16") yield reading;
    else if (reading.modality === "depth") {
      const data = Float32Array.from(reading.data, (steps) => (steps === 0 ? Number.NaN : steps * unit));
      yield withIntrinsics({ ...reading, format: "float32", data }, intrinsics);
    } else if (last && sameBytes(last.data, reading.data)) {
      repeated += 1;
      tell({ note: `${repeated} repeated frames dropped (shutter)` });
    } else {
      last = reading;
      yield { ...reading, ...celsiusOf({ ...reading, data: reading.data as Uint16Array }, radiometry) };
    }
  }
}

const sameBytes = (a: Frame["data"], b: Frame["data"]): boolean =>
  Buffer.compare(
    new Uint8Array(a.buffer, a.byteOffset, a.byteLength),
    new Uint8Array(b.buffer, b.byteOffset, b.byteLength),
  ) === 0;
