import { readdir, readFile, realpath, stat } from "node:fs/promises";
import { basename } from "node:path";
import {
  centikelvin,
  chooseModality,
  type Device,
  DurationText,
  defineDevice,
  gstreamerReadings,
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
  /** Decoder of H.264: nvv4l2decoder on a Jetson. */
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
    const { unit, radiometry, latency } = options;
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
  const { device, format = modality === "vision" ? "mjpeg" : "gray16", width, height, fps, decoder } = options;
  const size = [width && `width=${width}`, height && `height=${height}`, fps && `framerate=${fps}/1`].filter(Boolean);
  const from = `v4l2src device=${device} ! `;
  const caps = (...fields: string[]) => [...fields, ...size].join(",");
  // JPEG pictures are passed on as they are: they are decoded only when a window needs them.
  if (format === "mjpeg") return { pipeline: `${from}${caps("image/jpeg")}`, convert: "queue", caps: "image/jpeg" };
  if (format === "gray16")
    return { pipeline: `v4l2src device=${device}`, convert: "queue", caps: caps("format=GRAY16_LE") };
  const raw =
    format === "yuyv" ? caps("video/x-raw", "format=YUY2") : `${caps("video/x-h264")} ! h264parse ! ${decoder}`;
  return { pipeline: `${from}${raw}`, convert: "queue ! videoconvert", caps: "format=RGB" };
}
