import type { PixelFormat } from "../../core/reading.js";
import { type DecodeOptions, readBytes } from "./bytes.js";
import { type Plane, readPlane } from "./depth.js";
import { decodeImage } from "./sharp.js";

/** How the steps of a 16-bit picture become °C: `scale * step + offset`. */
export interface Radiometry {
  readonly scale: number;
  readonly offset: number;
}

/** Hundredths of a kelvin: FLIR Lepton TLinear, high resolution (Lepton software interface, 4.8.4). */
export const centikelvin: Radiometry = { scale: 0.01, offset: -273.15 };

/** A thermal frame: °C where the steps' meaning is known, raw counts where it is not. */
export interface ThermalPlane {
  readonly width: number;
  readonly height: number;
  readonly format: Exclude<PixelFormat, "rgb8">;
  readonly data: Uint8Array | Uint16Array | Float32Array;
}

export interface ThermalOptions {
  /** Absent: the values are raw counts. */
  readonly radiometry?: Radiometry | undefined;
}

/** A thermal frame from an 8- or 16-bit picture, or a `.npy` in °C. Throws `BAD_IMAGE`, `BAD_TENSOR`, `FILE_UNREADABLE`. */
export async function readThermal(path: string, options: ThermalOptions = {}): Promise<ThermalPlane> {
  if (/\.npy(\.gz)?$/.test(path)) return { ...(await readPlane(path)), format: "float32" };
  return decodeThermal(await readBytes(path), { source: path, ...options });
}

/** A thermal frame from the bytes of a picture; of a coloured one the luma, as Pillow's `convert("L")`. Throws `BAD_IMAGE`. */
export async function decodeThermal(
  bytes: Uint8Array,
  { source = "the thermal picture", radiometry }: DecodeOptions & ThermalOptions = {},
): Promise<ThermalPlane> {
  const { width, height, channels, depth, data } = await decodeImage(bytes, { source });
  if (depth === 16) return celsiusOf({ width, height, data: data as Uint16Array }, radiometry);
  const grey = channels === 1 ? (data as Uint8Array) : lumaOf(data as Uint8Array);
  return { width, height, format: "gray8", data: grey };
}

/** Raw 16-bit counts as a frame: °C where `radiometry` says what they mean. */
export function celsiusOf(
  { width, height, data }: Omit<Plane, "data"> & { data: Uint16Array },
  radiometry: Radiometry | undefined,
): ThermalPlane {
  if (!radiometry) return { width, height, format: "gray16", data };
  const { scale, offset } = radiometry;
  return { width, height, format: "float32", data: Float32Array.from(data, (step) => step * scale + offset) };
}

/** ITU-R 601-2 luma in 16-bit fixed point, as Pillow computes it (Convert.c, L24). */
function lumaOf(rgb: Uint8Array): Uint8Array {
  const grey = new Uint8Array(rgb.length / 3);
  for (let i = 0, p = 0; i < grey.length; i++, p += 3) {
    grey[i] = (rgb[p]! * 19595 + rgb[p + 1]! * 38470 + rgb[p + 2]! * 7471 + 0x8000) >> 16;
  }
  return grey;
}
