import * as z from "zod";
import { centikelvin, type Radiometry } from "./decode/thermal.js";

/** What the steps of known thermal cameras are, to °C. */
const known = {
  /** FLIR Lepton TLinear, high resolution. */
  centikelvin,
  /** FLIR Lepton TLinear, low resolution (Lepton software interface, 4.8.4). */
  decikelvin: { scale: 0.1, offset: -273.15 },
  /** InfiRay P2 Pro and T2S+: 64 steps a kelvin (as the P2Pro-Viewer and libircmd read them). */
  kelvin64: { scale: 1 / 64, offset: -273.15 },
} as const satisfies Readonly<Record<string, Radiometry>>;

/** What the steps of a 16-bit thermal frame are: raw counts, a known kind, or scale and offset to °C. */
export const RadiometryOption = z.union([
  z.enum(["raw", "centikelvin", "decikelvin", "kelvin64"]),
  z.strictObject({ scale: z.number(), offset: z.number() }),
]);
export type RadiometryOption = z.infer<typeof RadiometryOption>;

/** How the steps become °C; undefined where they are raw counts. */
export function radiometryOf(option: RadiometryOption | undefined): Radiometry | undefined {
  if (option === undefined || option === "raw") return undefined;
  return typeof option === "string" ? known[option] : option;
}
