import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  centikelvin,
  chooseModality,
  type Device,
  DurationText,
  decodeVideo,
  defineDevice,
  gstreamerReadings,
  gstreamerUnits,
  isDecoderName,
  physical,
  SenseError,
  us,
} from "sensebind/device";
import * as z from "zod";

const modalities = ["vision", "depth", "thermal"] as const;

const Options = z.strictObject({
  /** /dev/v4l/by-id/… stays the same after a replug, /dev/video0 does not. */
  device: z.string().default("/dev/video0"),
  /** What the camera sends; `gray16` is Y16 or Z16. */
  format: z.enum(["mjpeg", "yuyv", "h264", "gray16"]).optional(),
  modality: z.enum(modalities).optional(),
  width: z.coerce.number().int().positive().optional(),
  height: z.coerce.number().int().positive().optional(),
  fps: z.coerce.number().int().positive().optional(),
  /** Decoder of H.264: an element of GStreamer (`nvv4l2decoder` on a Jetson), or `node-webcodecs`, `ffmpeg`, `v4l2m2m`. */
  decoder: z.string().default("avdec_h264"),
  /** Metres of one step of a depth camera. */
  unit: z.coerce.number().positive().default(0.001),
  /** What the steps of a thermal camera are; raw counts unless given. */
  radiometry: z.enum(["centikelvin", "raw"]).default("raw"),
  latency: DurationText.default(us(0)),
});
type Options = z.infer<typeof Options>;

/** A camera on USB or any other with a V4L2 driver; depth (RealSense Z16) and thermal (Lepton Y16) cameras too. */
const v4l2: Device<Options> = defineDevice({
  name: "v4l2",
  title: "Cameras with a V4L2 driver: USB, depth Z16, thermal Y16",
  modalities,
  options: Options,
  delivery: "latest",
  async *readings(options, context) {
    const modality = chooseModality(modalities, options.modality, context.modality);
    await stat(options.device).catch((cause: unknown) => {
      throw new SenseError("DEVICE_ABSENT", `${options.device} is not there`, {
        hint: "Plug the camera in; `sensebind devices` lists them.",
        cause,
      });
    });
    const { unit, radiometry, latency, decoder } = options;
    if (options.format === "h264") {
      if (isDecoderName(decoder)) {
        const pipeline = h264Of(options);
        yield* decodeVideo((inner) => gstreamerUnits({ pipeline, latency }, inner), { decoder }, context);
        return;
      }
      context.tell?.({ decoder: `gstreamer (${decoder})` });
    }
    const readings = gstreamerReadings({ ...pipelineOf(modality, options), modality, latency }, context);
    const known = radiometry === "centikelvin" ? centikelvin : undefined;
    yield* physical(readings, { unit, radiometry: known, tell: context.tell });
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

function pipelineOf(modality: (typeof modalities)[number], options: Options) {
  const { device, format = modality === "vision" ? "mjpeg" : "gray16", decoder } = options;
  const from = `v4l2src device=${device}`;
  // JPEG pictures are passed on as they are: they are decoded only when a window needs them.
  if (format === "mjpeg")
    return { pipeline: `${from} ! ${mode(options, "image/jpeg")}`, convert: "queue", caps: "image/jpeg" };
  if (format === "gray16") return { pipeline: from, convert: "queue", caps: mode(options, "format=GRAY16_LE") };
  const raw =
    format === "yuyv" ? `${from} ! ${mode(options, "video/x-raw", "format=YUY2")}` : `${h264Of(options)} ! ${decoder}`;
  return { pipeline: raw, convert: "queue ! videoconvert", caps: "format=RGB" };
}

/** Parameter sets come before each key frame, so that a decoder can join in. */
const h264Of = (options: Options): string =>
  `v4l2src device=${options.device} ! ${mode(options, "video/x-h264")} ! h264parse config-interval=-1`;

/** One of the camera's modes as caps. */
function mode({ width, height, fps }: Options, ...fields: string[]): string {
  const size = [width && `width=${width}`, height && `height=${height}`, fps && `framerate=${fps}/1`];
  return [...fields, ...size].filter(Boolean).join(",");
}
