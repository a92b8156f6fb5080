import { SenseError } from "../core/errors.js";
import type { Reading } from "../core/reading.js";
import { type Duration, type Micros, us } from "../core/time.js";
import { startChild } from "./child.js";
import type { DeviceContext } from "./define.js";
import { type FramecrcContent, FramecrcReader } from "./framecrc.js";
import { readingOf } from "./media-format.js";
import { mediaPieces } from "./media-stream.js";
import type { VideoUnit } from "./video/unit.js";

export interface FfmpegOptions {
  /** Arguments up to and with `-i`. */
  readonly input: readonly string[];
  readonly modality: "vision" | "audio" | "depth" | "thermal";
  /** Filter graph between input and output, as `-vf` or `-af` takes it. */
  readonly filter?: string | undefined;
  /** Pixels as they are, or a JPEG of each frame. */
  readonly encode?: "raw" | "jpeg";
  /** Decoder of ffmpeg, by its name: `h264_v4l2m2m`; ffmpeg's choice unless given. */
  readonly decoder?: string | undefined;
  /** The input comes to an end (a file): its times count from `start`, now unless given, and its end is no failure. */
  readonly ends?: boolean;
  readonly start?: Micros;
  readonly latency?: Duration;
}

const outputs = {
  rgb8: { args: ["-c:v", "rawvideo", "-pix_fmt", "rgb24"], muxer: "rawvideo" },
  gray16: { args: ["-c:v", "rawvideo", "-pix_fmt", "gray16le"], muxer: "rawvideo" },
  jpeg: { args: ["-c:v", "mjpeg", "-q:v", "3"], muxer: "mjpeg" },
  float32: { args: ["-c:a", "pcm_f32le"], muxer: "f32le" },
  h264: { args: ["-c:v", "copy", "-bsf:v", "h264_mp4toannexb,dump_extra=freq=keyframe"], muxer: "h264" },
} as const;

/**
 * Lets ffmpeg read anything and yields its frames or blocks. The tee muxer writes each packet twice: its size and timestamp as a
 * line (framecrc), its bytes to file descriptor 3; 720p frames cost the same with and without (0.43 s CPU for 150).
 * Throws `TOOL_MISSING`, `DEVICE_FAILED`.
 */
export async function* ffmpegReadings(options: FfmpegOptions, context: DeviceContext): AsyncGenerator<Reading> {
  const { modality, decoder } = options;
  if (decoder !== undefined) context.tell?.({ decoder: `ffmpeg (${decoder})` });
  for await (const { format, data, time } of pieces(options, kindOf(options), context)) {
    if (format.kind !== "video") yield readingOf(format, data, { modality, time });
  }
}

/** The access units of a stream of H.264 as they are, in Annex B form, the parameter sets before each key frame. */
export async function* ffmpegUnits(options: FfmpegOptions, context: DeviceContext): AsyncGenerator<VideoUnit> {
  for await (const { data, time } of pieces(options, "h264", context)) yield { data, time };
}

async function* pieces(options: FfmpegOptions, output: FramecrcContent, context: DeviceContext) {
  const { ends = false, latency = us(0), start = context.clock.now() } = options;
  const { signal } = context;
  await using child = startChild(commandOf(options, output), { signal, hint: "apt install ffmpeg" });
  const reader = new FramecrcReader(output);
  const parse = (line: string) => reader.read(line);
  yield* mediaPieces({ child, parse, format: () => reader.format, ends, start, latency }, context);
  if (!ends && !signal.aborted) {
    throw new SenseError("DEVICE_FAILED", `ffmpeg's input ${options.input.at(-1)} came to its end`, {
      hint: "Set `ends: true` for an input that has an end.",
    });
  }
}

function kindOf({ modality, encode }: FfmpegOptions): FramecrcContent {
  if (modality === "audio") return "float32";
  return modality !== "vision" ? "gray16" : encode === "jpeg" ? "jpeg" : "rgb8";
}

function commandOf(options: FfmpegOptions, output: FramecrcContent): string[] {
  const { args, muxer } = outputs[output];
  const audio = options.modality === "audio";
  const filter = options.filter === undefined || output === "h264" ? [] : [audio ? "-af" : "-vf", options.filter];
  // Frames pass as they are, with the input's time base: neither repeated nor rounded to a frame rate.
  const timing = audio || output === "h264" ? [] : ["-vsync", "passthrough", "-enc_time_base", "-1"];
  const tee = `[f=framecrc:flush_packets=1]pipe:1|[f=${muxer}:flush_packets=1]pipe:3`;
  const map = ["-map", audio ? "0:a:0" : "0:v:0"];
  return [
    "ffmpeg",
    "-nostdin",
    "-v",
    "error",
    ...(options.decoder === undefined || output === "h264" ? [] : ["-c:v", options.decoder]),
    ...options.input,
    ...map,
    ...filter,
    ...timing,
    ...args,
    "-f",
    "tee",
    tee,
  ];
}
