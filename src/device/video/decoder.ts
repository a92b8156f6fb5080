import { execPath } from "node:process";
import { fileURLToPath } from "node:url";
import { startChild } from "../child.js";

/** The size that frames are scaled to. */
export interface FrameSize {
  readonly width: number;
  readonly height: number;
}

/** A program that reads H.264 in IVF and writes framecrc lines to its output, the RGB pixels to descriptor 3. */
export interface Decoder {
  readonly name: string;
  /** What to install where the program is missing. */
  readonly hint: string;
  command(size: FrameSize | undefined): readonly string[];
}

const install = "npm install node-webcodecs";

const webcodecs: Decoder = {
  name: "node-webcodecs",
  hint: install,
  command: (size) => [execPath, entry(), ...(size ? [String(size.width), String(size.height)] : [])],
};

/** One of ffmpeg's, by its name there; its own choice without one. */
const ffmpeg = (codec?: string): Decoder => ({
  name: codec === undefined ? "ffmpeg" : `ffmpeg (${codec})`,
  hint: "apt install ffmpeg",
  command: (size) => [
    ...["ffmpeg", "-nostdin", "-v", "error", "-probesize", "32", "-threads", "1", "-flags", "low_delay"],
    ...(codec === undefined ? [] : ["-c:v", codec]),
    ...["-f", "ivf", "-i", "pipe:0", "-map", "0:v:0"],
    ...(size ? ["-vf", `scale=${size.width}:${size.height}`] : []),
    // The stamps are numbers of frames and must come out as they went in.
    ...["-copyts", "-vsync", "passthrough", "-enc_time_base", "-1", "-c:v", "rawvideo", "-pix_fmt", "rgb24"],
    ...["-f", "tee", "[f=framecrc:flush_packets=1]pipe:1|[f=rawvideo:flush_packets=1]pipe:3"],
  ],
});

/** Whether a name is of a decoder that works in a process of its own, and not of an element of GStreamer. */
export const isDecoderName = (name: string): boolean =>
  name === webcodecs.name || name === "ffmpeg" || name === "v4l2m2m" || name.startsWith("h264_");

/** A decoder's name as ffmpeg has it: `v4l2m2m` is `h264_v4l2m2m`; undefined leaves the choice to ffmpeg. */
export const ffmpegDecoder = (name: string): string | undefined =>
  name === "ffmpeg" ? undefined : name === "v4l2m2m" ? "h264_v4l2m2m" : name;

/**
 * The decoder of that name: `node-webcodecs`, `ffmpeg`, `v4l2m2m`, or any H.264 decoder of ffmpeg. Where node-webcodecs is not
 * installed, or has no build for this platform, it is ffmpeg, and `instead` says why.
 */
export async function findDecoder(name: string): Promise<{ readonly decoder: Decoder; readonly instead?: string }> {
  if (name !== webcodecs.name) return { decoder: ffmpeg(ffmpegDecoder(name)) };
  const why = await whyNotWebcodecs();
  return why === undefined ? { decoder: webcodecs } : { decoder: ffmpeg(), instead: why };
}

/** The child says whether it can work before it reads anything: loading a native library is not for this process. */
async function whyNotWebcodecs(): Promise<string | undefined> {
  const { signal } = new AbortController();
  await using child = startChild(webcodecs.command(undefined), { signal, hint: install, input: true });
  child.input?.end();
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  child.data.resume();
  const failure = await child.ended().then(
    () => undefined,
    (error: Error) => error.message,
  );
  if (said.startsWith("#ready")) return undefined;
  return /^#missing (.*)$/m.exec(said)?.[1] ?? failure ?? "it said nothing";
}

/** The entry of the child is plain JavaScript, from the build. */
function entry(): string {
  const fromSources = import.meta.url.endsWith(".ts");
  const path = fromSources ? "../../../dist/src/device/video/node-webcodecs.js" : "./node-webcodecs.js";
  return fileURLToPath(new URL(path, import.meta.url));
}
