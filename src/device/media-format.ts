import { SenseError } from "../core/errors.js";
import type { Block, EncodedFrame, Frame, PixelFormat, Reading } from "../core/reading.js";
import { hz, type Micros } from "../core/time.js";

/** What the pieces of data of a stream are. */
export type MediaFormat =
  | { readonly kind: "frame"; readonly format: PixelFormat; readonly width: number; readonly height: number }
  | { readonly kind: "encoded"; readonly mime: EncodedFrame["mime"] }
  | { readonly kind: "video"; readonly codec: "h264" }
  | { readonly kind: "block"; readonly channels: readonly string[]; readonly rate: number };

const pixelBytes = { rgb8: 3, gray8: 1, gray16: 2, float32: 4 } as const;

/** A piece of a stream as a reading. Throws `DEVICE_FAILED` where it does not have the size that the format needs. */
export function readingOf(
  format: Exclude<MediaFormat, { kind: "video" }>,
  data: Uint8Array<ArrayBuffer>,
  { modality, time }: { modality: Reading["modality"]; time: Micros },
): Reading {
  switch (format.kind) {
    case "frame": {
      const pixels = unpadded(format, data);
      const { width, height, format: pixel } = format;
      return {
        kind: "frame",
        modality,
        time,
        format: pixel,
        width,
        height,
        data: typed(pixel, pixels),
      } satisfies Frame;
    }
    case "encoded":
      return { kind: "encoded", modality: "vision", time, mime: format.mime, data } satisfies EncodedFrame;
    case "block": {
      const { channels, rate } = format;
      const samples = Math.floor(data.length / 4 / channels.length);
      const floats = new Float32Array(data.buffer, 0, samples * channels.length);
      return { kind: "block", modality, time, channels, rate: hz(rate), data: floats } satisfies Block;
    }
    default:
      return format satisfies never;
  }
}

/** Rows without the padding to a multiple of 4 bytes that GStreamer gives them (GstVideoInfo's default strides). */
function unpadded(format: MediaFormat & { kind: "frame" }, data: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const { width, height } = format;
  const row = width * pixelBytes[format.format];
  if (data.length === row * height) return data;
  const stride = Math.ceil(row / 4) * 4;
  if (data.length !== stride * height) {
    throw new SenseError(
      "DEVICE_FAILED",
      `a frame of ${width} x ${height} ${format.format} came with ${data.length} bytes`,
      { hint: "Let the pipeline end in system memory: add `videoconvert`." },
    );
  }
  const out = new Uint8Array(row * height);
  for (let y = 0; y < height; y++) out.set(data.subarray(y * stride, y * stride + row), y * row);
  return out;
}

function typed(format: PixelFormat, pixels: Uint8Array<ArrayBuffer>): Frame["data"] {
  if (format === "gray16") return new Uint16Array(pixels.buffer);
  return format === "float32" ? new Float32Array(pixels.buffer) : pixels;
}

/** Names of sound channels where the source does not name them. */
export const audioChannels = (count: number): readonly string[] =>
  count === 1 ? ["mono"] : count === 2 ? ["left", "right"] : Array.from({ length: count }, (_, c) => `ch${c}`);
