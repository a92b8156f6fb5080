import * as z from "zod";
import type { Intrinsics, Reading } from "../core/reading.js";

/** Of a depth camera, for frames of `width x height`: what its calibration says (`rs-enumerate-devices -c`, CameraInfo). */
export const IntrinsicsOption = z.strictObject({
  width: z.int().positive(),
  height: z.int().positive(),
  fx: z.number().positive(),
  fy: z.number().positive(),
  cx: z.number(),
  cy: z.number(),
});

/** A depth frame with the intrinsics of its sensor, for the size that it was scaled to; other readings as they are. */
export function withIntrinsics(reading: Reading, known: Intrinsics | undefined): Reading {
  if (!known || reading.kind !== "frame" || reading.modality !== "depth") return reading;
  const { width, height } = reading;
  const [sx, sy] = [width / known.width, height / known.height];
  // The edge of the picture scales, and the centre of the first pixel is half a pixel from it.
  const cx = (known.cx + 0.5) * sx - 0.5;
  const cy = (known.cy + 0.5) * sy - 0.5;
  return { ...reading, intrinsics: { width, height, fx: known.fx * sx, fy: known.fy * sy, cx, cy } };
}
