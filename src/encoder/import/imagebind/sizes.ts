import { SenseError } from "../../../core/errors.js";
import { hugeConfig, type ImageBindConfig } from "./config.js";
import type { Layout } from "./layout.js";

/** Sizes of a tower's input that its recipe and its graph must agree on. */
export interface Sizes {
  /** Side of a square picture, in pixels. */
  readonly side: number;
  readonly bins: number;
  readonly frames: number;
  readonly audioStride: number;
  readonly imuChannels: number;
  /** Steps in one window of the IMU's series. */
  readonly imuKernel: number;
  /** Steps in the whole series. */
  readonly imuSteps: number;
}

/** Three axes of acceleration, three of rotation: the original has no argument for this. */
const imuChannels = 6;

/** Throws `BAD_CHECKPOINT` where a picture's position table is no square, or an IMU stem does not divide by six channels. */
export function sizesOf({ tower, positions, stemDims, keys }: Layout, config: ImageBindConfig = hugeConfig): Sizes {
  const { audio_num_mel_bins: bins, audio_target_len: frames, audio_stride: audioStride } = config;
  const places = Math.sqrt(positions - 1);
  if ((tower === "vision" || tower === "depth" || tower === "thermal") && !Number.isInteger(places)) {
    throw new SenseError("BAD_CHECKPOINT", `${keys.positions} has ${positions - 1} places, which is no square`, {
      hint: "Only ImageBind's own layout is read: export another model to ONNX.",
    });
  }
  const imuKernel = stemDims.at(-1)! / imuChannels;
  if (tower === "imu" && !Number.isInteger(imuKernel)) {
    throw new SenseError("BAD_CHECKPOINT", `${keys.stem} has ${stemDims.at(-1)} columns, not windows of six channels`, {
      hint: "Only ImageBind's own layout is read: export another model to ONNX.",
    });
  }
  const side = places * stemDims.at(-1)!;
  return { side, bins, frames, audioStride, imuChannels, imuKernel, imuSteps: imuKernel * (positions - 1) };
}
