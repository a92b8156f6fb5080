import { SenseError } from "../core/errors.js";
import type { Reading } from "../core/reading.js";
import { type Duration, micros, us } from "../core/time.js";
import { startChild } from "./child.js";
import type { DeviceContext } from "./define.js";
import { LiveTime } from "./live-time.js";
import { audioChannels, type MediaFormat, readingOf } from "./media-format.js";
import { type Tag, taggedData } from "./tagged.js";

export interface FfmpegOptions {
  /** Arguments up to and with `-i`. */
  readonly input: readonly string[];
  readonly modality: "vision" | "audio" | "depth" | "thermal";
  /** Filter graph between input and output, as `-vf` or `-af` takes it. */
  readonly filter?: string | undefined;
  /** Pixels as they are, or a JPEG of each frame. */
  readonly encode?: "raw" | "jpeg";
  /** The input comes to an end (a file): its times count from 0, and its end is no failure. */
  readonly ends?: boolean;
  readonly latency?: Duration;
}

const outputs = {
  rgb8: { args: ["-c:v", "rawvideo", "-pix_fmt", "rgb24"], muxer: "rawvideo" },
  gray16: { args: ["-c:v", "rawvideo", "-pix_fmt", "gray16le"], muxer: "rawvideo" },
  jpeg: { args: ["-c:v", "mjpeg", "-q:v", "3"], muxer: "mjpeg" },
  float32: { args: ["-c:a", "pcm_f32le"], muxer: "f32le" },
} as const;

/**
 * Lets ffmpeg read anything and yields its frames or blocks. The tee muxer writes each packet twice: its size and timestamp as a
 * line (framecrc), its bytes to file descriptor 3; 720p frames cost the same with and without (0.43 s CPU for 150).
 * Throws `TOOL_MISSING`, `DEVICE_FAILED`.
 */
export async function* ffmpegReadings(options: FfmpegOptions, context: DeviceContext): AsyncGenerator<Reading> {
  const { modality, ends = false, latency = us(0) } = options;
  const { signal, clock, tell = () => {} } = context;
  await using child = startChild(commandOf(options), { signal, hint: "apt install ffmpeg" });
  const header = new FramecrcHeader(kindOf(options));
  const live = new LiveTime({ clock, latency, tell });
  for await (const { tag, data } of taggedData({ lines: child.stdout, data: child.data }, (line) =>
    header.read(line),
  )) {
    if (signal.aborted) return;
    const format = header.format;
    const block = format.kind === "block";
    const span = block ? (data.length / 4 / format.channels.length / format.rate) * 1e6 : 0;
    const time = ends ? micros(tag.time ?? 0) : block ? live.ofBlock(tag.time, span) : live.of(tag.time);
    yield readingOf(format, data, { modality, time });
  }
  await child.ended();
  if (!ends && !signal.aborted) {
    throw new SenseError("DEVICE_FAILED", `ffmpeg's input ${options.input.at(-1)} came to its end`, {
      hint: "Set `ends: true` for an input that has an end.",
    });
  }
}

type Output = keyof typeof outputs;

function kindOf({ modality, encode }: FfmpegOptions): Output {
  if (modality === "audio") return "float32";
  return modality !== "vision" ? "gray16" : encode === "jpeg" ? "jpeg" : "rgb8";
}

function commandOf(options: FfmpegOptions): string[] {
  const { args, muxer } = outputs[kindOf(options)];
  const audio = options.modality === "audio";
  const filter = options.filter === undefined ? [] : [audio ? "-af" : "-vf", options.filter];
  // Frames pass as they are, with the input's time base: neither repeated nor rounded to a frame rate.
  const timing = audio ? [] : ["-vsync", "passthrough", "-enc_time_base", "-1"];
  const tee = `[f=framecrc:flush_packets=1]pipe:1|[f=${muxer}:flush_packets=1]pipe:3`;
  const map = ["-map", audio ? "0:a:0" : "0:v:0"];
  return [
    "ffmpeg",
    "-nostdin",
    "-v",
    "error",
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

/** Reads what ffmpeg's framecrc muxer writes: `#tb 0: 1/10`, `#dimensions 0: 50x20`, then `0, dts, pts, duration, size, crc`. */
class FramecrcHeader {
  readonly #output: Output;
  #timeBase = 0;
  #size = { width: 0, height: 0 };
  #rate = 0;
  #channels = 1;

  constructor(output: Output) {
    this.#output = output;
  }

  get format(): MediaFormat {
    if (this.#output === "jpeg") return { kind: "encoded", mime: "image/jpeg" };
    if (this.#output === "float32") {
      return { kind: "block", channels: audioChannels(this.#channels), rate: this.#rate };
    }
    return { kind: "frame", format: this.#output, ...this.#size };
  }

  read(line: string): Tag | undefined {
    const [, name, value = ""] = /^#(\w+) 0: (.*)$/.exec(line) ?? [];
    if (name === "tb") this.#timeBase = Number(value.split("/")[0]) / Number(value.split("/")[1]);
    if (name === "sample_rate") this.#rate = Number(value);
    if (name === "dimensions") {
      const [width, height] = value.split("x").map(Number);
      this.#size = { width: width!, height: height! };
    }
    const fields = line.startsWith("0,") ? line.split(",").map(Number) : undefined;
    if (!fields) return undefined;
    const [, , pts, duration, bytes] = fields as [number, number, number, number, number];
    // The channel count is not in every version's header, but follows from a packet's size and duration in samples.
    if (this.#output === "float32" && duration > 0) this.#channels = Math.round(bytes / 4 / duration);
    return { bytes, time: Number.isFinite(pts) ? pts * this.#timeBase * 1e6 : undefined };
  }
}
