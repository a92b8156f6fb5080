import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  chooseModality,
  type Device,
  type DeviceContext,
  DurationText,
  decodeVideo,
  defineDevice,
  ffmpegReadings,
  gstreamerReadings,
  gstreamerUnits,
  isDecoderName,
  physical,
  physicalOptions,
  type Reading,
  SenseError,
  sizeOptions,
  us,
} from "sensebind/device";
import * as z from "zod";

const modalities = ["vision", "depth", "thermal"] as const;

const Options = z.strictObject({
  /** /dev/v4l/by-id/… stays the same after a replug, /dev/video0 does not. */
  device: z.string().default("/dev/video0"),
  /** A camera that is known: its modality, form, size and steps. Other options go before it. */
  preset: z.enum(["realsense", "orbbec", "oak-d", "lepton", "lepton-raw", "infiray", "seek"]).optional(),
  /** What the camera sends: `z16` is depth (Z16 or Y16), `gray16` Y16, `yuyv-y16` 16-bit counts under the name of YUYV, below the picture. */
  format: z.enum(["mjpeg", "yuyv", "nv12", "h264", "gray16", "z16", "yuyv-y16"]).optional(),
  modality: z.enum(modalities).optional(),
  ...sizeOptions,
  /** Decoder of H.264: an element of GStreamer (`nvv4l2decoder` on a Jetson), or `node-webcodecs`, `ffmpeg`, `v4l2m2m`. */
  decoder: z.string().default("avdec_h264"),
  ...physicalOptions,
  latency: DurationText.default(us(0)),
});
type Options = z.infer<typeof Options>;

/** What is known of cameras from their makers' documents; none of them was at hand. */
const presets: Readonly<Record<NonNullable<Options["preset"]>, Partial<Options>>> = {
  // Depth units of 1 mm: D400 data sheet, and Orbbec's SDK for Gemini and Femto.
  realsense: { modality: "depth", format: "z16", width: 640, height: 480, fps: 30, unit: 0.001 },
  orbbec: { modality: "depth", format: "z16", width: 640, height: 480, fps: 30, unit: 0.001 },
  // DepthAI's UVC node gives colour only.
  "oak-d": { modality: "vision", format: "nv12", width: 1920, height: 1080, fps: 30 },
  // PureThermal firmware, Lepton 3.x: Y16 160 x 120, 9 frames a second; TLinear is on by default where the sensor is radiometric.
  lepton: { modality: "thermal", format: "gray16", width: 160, height: 120, fps: 9, radiometry: "centikelvin" },
  "lepton-raw": { modality: "thermal", format: "gray16", width: 160, height: 120, fps: 9, radiometry: "raw" },
  // P2 Pro: 256 x 384, the upper half a picture, the lower half the temperatures.
  infiray: { modality: "thermal", format: "yuyv-y16", width: 256, height: 384, fps: 25, radiometry: "kelvin64" },
  // By way of v4l2loopback, which libseek-thermal's viewer writes to: raw counts.
  seek: { modality: "thermal", format: "gray16", radiometry: "raw" },
};

/** A camera on USB or any other with a V4L2 driver; depth (RealSense Z16) and thermal (Lepton Y16) cameras too. */
const v4l2: Device<Options> = defineDevice({
  name: "v4l2",
  title: "Cameras with a V4L2 driver: USB, depth Z16, thermal Y16",
  modalities,
  options: Options,
  delivery: "latest",
  async *readings(given, context) {
    const options = { ...(given.preset && presets[given.preset]), ...given };
    const modality = chooseModality(modalities, options.modality, context.modality);
    await stat(options.device).catch((cause: unknown) => {
      throw new SenseError("DEVICE_ABSENT", `${options.device} is not there`, {
        hint: "Plug the camera in; `sensebind devices` lists them.",
        cause,
      });
    });
    const { decoder, latency } = options;
    if (options.format === "h264" && isDecoderName(decoder)) {
      const pipeline = h264Of(options);
      yield* decodeVideo((inner) => gstreamerUnits({ pipeline, latency }, inner), { decoder }, context);
      return;
    }
    if (options.format === "h264") context.tell?.({ decoder: `gstreamer (${decoder})` });
    yield* physical(rawReadings(modality, options, context), { ...options, tell: context.tell });
  },
  async discover() {
    const folder = "/dev/v4l/by-id/";
    const ids = (await readdir(folder).catch(() => [])).filter((name) => name.endsWith("-index0"));
    return Promise.all(
      ids.map(async (id) => {
        const node = basename(await realpath(folder + id));
        const title = await readFile(`/sys/class/video4linux/${node}/name`, "utf8").catch(() => id);
        return { title: title.trim(), options: { device: folder + id } };
      }),
    );
  },
});
export default v4l2;

type Modality = (typeof modalities)[number];

const usualFormat = { vision: "mjpeg", depth: "z16", thermal: "gray16" } as const;

function rawReadings(modality: Modality, options: Options, context: DeviceContext): AsyncIterable<Reading> {
  const { latency, format = usualFormat[modality] } = options;
  // GStreamer's v4l2src has no name for Z16; ffmpeg's v4l2 takes Y16 and Z16, whichever the camera has.
  if (format === "z16") return ffmpegReadings({ input: depthInput(options), modality, latency }, context);
  const readings = gstreamerReadings({ ...pipelineOf({ ...options, format }), modality, latency }, context);
  return format === "yuyv-y16" ? lowerHalves(readings) : readings;
}

async function* lowerHalves(readings: AsyncIterable<Reading>): AsyncGenerator<Reading> {
  for await (const reading of readings) {
    if (reading.kind !== "frame") continue;
    const height = reading.height >> 1;
    yield { ...reading, height, data: reading.data.slice((reading.height - height) * reading.width) };
  }
}

function depthInput({ device, width, height, fps }: Options): string[] {
  const size = width && height ? ["-video_size", `${width}x${height}`] : [];
  return ["-f", "v4l2", ...size, ...(fps ? ["-framerate", String(fps)] : []), "-i", device];
}

function pipelineOf(options: Options) {
  const { device, format, decoder } = options;
  const from = `v4l2src device=${device}`;
  const colour = { convert: "queue ! videoconvert", caps: "format=RGB" };
  switch (format) {
    // JPEG pictures are passed on as they are: they are decoded only when a window needs them.
    case "mjpeg":
      return { pipeline: `${from} ! ${mode(options, "image/jpeg")}`, convert: "queue", caps: "image/jpeg" };
    case "gray16":
      return { pipeline: from, convert: "queue", caps: mode(options, "format=GRAY16_LE") };
    case "yuyv-y16":
      return { pipeline: from, convert: "queue", caps: mode(options, "format=YUY2") };
    case "h264":
      return { pipeline: `${h264Of(options)} ! ${decoder}`, ...colour };
    default: {
      const raw = format === "nv12" ? "format=NV12" : "format=YUY2";
      return { pipeline: `${from} ! ${mode(options, "video/x-raw", raw)}`, ...colour };
    }
  }
}

/** Parameter sets come before each key frame, so that a decoder can join in. */
const h264Of = (options: Options): string =>
  `v4l2src device=${options.device} ! ${mode(options, "video/x-h264")} ! h264parse config-interval=-1`;

/** One of the camera's modes as caps. */
function mode({ width, height, fps }: Options, ...fields: string[]): string {
  const size = [width && `width=${width}`, height && `height=${height}`, fps && `framerate=${fps}/1`];
  return [...fields, ...size].filter(Boolean).join(",");
}
