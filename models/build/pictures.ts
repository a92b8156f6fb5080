import { join } from "node:path";
import type { Frame } from "../../src/core/reading.js";
import type { DepthRecipe, ThermalRecipe, VisionRecipe } from "../../src/core/recipe.js";
import { micros } from "../../src/core/time.js";
import { readDepth } from "../../src/device/decode/depth.js";
import { readImage, toRgb } from "../../src/device/decode/sharp.js";
import { readThermal } from "../../src/device/decode/thermal.js";
import { backboneInput } from "./efficientnet-lite.js";
import { readTable } from "./table.js";

const { size, mean, std } = backboneInput;

/** What the camera, thermal and depth towers take: manifest and build scripts share it. */
export const visionRecipe: VisionRecipe = {
  kind: "vision",
  input: "pixels",
  size,
  fit: "shortest",
  filter: "bicubic",
  mean: [mean],
  std: [std],
};
export const thermalRecipe: ThermalRecipe = { kind: "thermal", input: "pixels", size, range: "full", mean: 0, std: 1 };
export const depthRecipe: DepthRecipe = {
  kind: "depth",
  input: "pixels",
  size,
  as: "metres",
  baseline: 0.075,
  focal: 518.857901,
  clamp: [0, 10],
  invalid: 0,
  divide: 10,
  antialias: true,
  mean: 0,
  std: 1,
};

const time = micros(0);

export async function readCamera(path: string): Promise<Frame> {
  const picture = await readImage(path);
  return {
    kind: "frame",
    modality: "vision",
    time,
    format: "rgb8",
    width: picture.width,
    height: picture.height,
    data: toRgb(picture),
  };
}

/** A camera's picture and what another sensor saw of the same scene at the same time. */
export interface Pair {
  readonly camera: Frame;
  readonly other: Frame;
}

/** The aligned camera and infrared pictures, in the order of the table. */
export async function readThermalPairs(data: string): Promise<Pair[]> {
  const rows = await readTable(join(data, "thermal", "pairs.csv"));
  return Promise.all(
    rows.map(async ({ camera, thermal }) => ({
      camera: await readCamera(join(data, "thermal", camera!)),
      other: { kind: "frame", modality: "thermal", time, ...(await readThermal(join(data, "thermal", thermal!))) },
    })),
  );
}

/** The camera and depth frames of one walk through a room, in order of time. */
export async function readDepthPairs(data: string): Promise<Pair[]> {
  const rows = await readTable(join(data, "depth", "frames.csv"));
  return Promise.all(
    rows.map(async ({ rgb, depth }) => ({
      camera: await readCamera(join(data, "depth", rgb!)),
      other: {
        kind: "frame",
        modality: "depth",
        time,
        format: "float32",
        ...(await readDepth(join(data, "depth", depth!))),
      },
    })),
  );
}

/** A part of a picture, in fractions of its sides, mirrored if `flip`. */
export interface View {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly flip: boolean;
}

export const whole: View = { left: 0, top: 0, width: 1, height: 1, flip: false };

/** The part of a frame that a view shows. */
export function cropped(frame: Frame, { left, top, width, height, flip }: View): Frame {
  const channels = frame.format === "rgb8" ? 3 : 1;
  const [w, h] = [Math.round(width * frame.width), Math.round(height * frame.height)];
  const [x0, y0] = [
    Math.min(Math.round(left * frame.width), frame.width - w),
    Math.min(Math.round(top * frame.height), frame.height - h),
  ];
  const data = frame.data.slice(0, w * h * channels);
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const from = ((y0 + y) * frame.width + x0 + (flip ? w - 1 - x : x)) * channels;
      for (let c = 0; c < channels; c++) data[(y * w + x) * channels + c] = frame.data[from + c]!;
    }
  return { ...frame, width: w, height: h, data };
}
