import * as z from "zod";
import { IntrinsicsOption } from "./intrinsics.js";
import { RadiometryOption } from "./radiometry-option.js";

/** Size and rate of the pictures of a camera. */
export const sizeOptions = {
  width: z.coerce.number().int().positive().optional(),
  height: z.coerce.number().int().positive().optional(),
  /** Frames a second. */
  fps: z.coerce.number().positive().optional(),
};

/** What makes metres and °C of 16-bit frames. */
export const physicalOptions = {
  /** Metres of one step of a depth sensor, 0.001 unless given. */
  unit: z.coerce.number().positive().optional(),
  /** Of a depth sensor: focal lengths and principal point, `{ width, height, fx, fy, cx, cy }`. */
  intrinsics: IntrinsicsOption.optional(),
  /** What the steps of a thermal sensor are, raw counts unless given. */
  radiometry: RadiometryOption.optional(),
};
