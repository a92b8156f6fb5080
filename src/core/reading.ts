import type { Modality } from "./modality.js";
import type { Hertz, Micros } from "./time.js";

/** How the numbers of a frame are stored: 8-bit RGB, 8-bit grey, 16-bit raw, or float32 physical units. */
export type PixelFormat = "rgb8" | "gray8" | "gray16" | "float32";

interface ReadingBase {
  readonly modality: Exclude<Modality, "text">;
  /** Event time: of the exposure for a frame, of the first sample for a block. */
  readonly time: Micros;
}

/**
 * A pinhole camera in pixels, for frames of `width x height`: focal lengths and principal point, the centre of the first pixel being 0, 0
 * (K of sensor_msgs/CameraInfo).
 */
export interface Intrinsics {
  readonly width: number;
  readonly height: number;
  readonly fx: number;
  readonly fy: number;
  readonly cx: number;
  readonly cy: number;
}

/**
 * One frame of a camera, depth or thermal sensor, row-major, `height x width x channels`.
 * Depth is float32 metres with NaN where there is no reading; thermal is float32 °C where the device is radiometric,
 * raw counts (`gray8`, `gray16`) where it is not.
 */
export interface Frame extends ReadingBase {
  readonly kind: "frame";
  readonly format: PixelFormat;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array | Uint16Array | Float32Array;
  /** Of a depth frame whose sensor's are known; for the frame's own size. */
  readonly intrinsics?: Intrinsics;
}

/**
 * A block of consecutive samples, interleaved: `data[t * channels.length + c]`.
 * Audio is in [-1, 1); IMU is `ax ay az` in m/s² then `gx gy gz` in rad/s; other sensors use the units of their schema.
 */
export interface Block extends ReadingBase {
  readonly kind: "block";
  readonly channels: readonly string[];
  readonly rate: Hertz;
  readonly data: Float32Array;
}

/** A still-encoded picture (JPEG, PNG, WebP) of a camera; it is decoded only when a window needs it. */
export interface EncodedFrame extends ReadingBase {
  readonly kind: "encoded";
  readonly modality: "vision";
  readonly mime: "image/jpeg" | "image/png" | "image/webp";
  readonly data: Uint8Array;
}

/** What a device yields: one frame or one block of samples, with its event time. */
export type Reading = Frame | Block | EncodedFrame;

/** A reading as it travels in the pipeline: of a named sensor, numbered so that a loss shows. */
export interface SensorReading {
  readonly sensor: string;
  /** Counts the readings of this sensor from 0. */
  readonly seq: number;
  readonly reading: Reading;
}

/** The instant just after the last sample of a block; a frame has no extent. */
export function endOf(reading: Reading): Micros {
  if (reading.kind !== "block") return reading.time;
  const samples = reading.data.length / reading.channels.length;
  return Math.round(reading.time + (samples * 1e6) / reading.rate) as Micros;
}
