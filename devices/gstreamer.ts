import {
  checkSound,
  chooseModality,
  type Device,
  type DeviceContext,
  DurationText,
  decodeVideo,
  defineDevice,
  gstreamerReadings,
  gstreamerUnits,
  physical,
  physicalOptions,
  sizeOptions,
  us,
} from "sensebind/device";
import * as z from "zod";

const modalities = ["vision", "audio", "depth", "thermal"] as const;

const Options = z.strictObject({
  /** As for gst-launch-1.0, up to the element that gives the frames: `v4l2src device=/dev/video0 ! image/jpeg`. */
  pipeline: z.string(),
  modality: z.enum(modalities).optional(),
  /** Scaled and thinned at the source: the fewer bytes travel the better. */
  ...sizeOptions,
  /** The pipeline gives JPEG pictures, which are passed on as they are. */
  jpeg: z.stringbool().or(z.boolean()).default(false),
  /** The pipeline gives H.264 (end it with `h264parse config-interval=-1`), and this decodes it: `node-webcodecs`, `ffmpeg`, `v4l2m2m`. */
  decoder: z.string().optional(),
  /** Sound: samples a second, and channels. */
  rate: z.coerce.number().int().positive().optional(),
  channels: z.coerce.number().int().positive().optional(),
  /** Depth and thermal: bits of a pixel. */
  bits: z.coerce
    .number()
    .pipe(z.union([z.literal(8), z.literal(16)]))
    .default(16),
  /** The pipeline reads something that has an end. */
  ends: z.stringbool().or(z.boolean()).default(false),
  /** Known delay between exposure and timestamp. */
  latency: DurationText.default(us(0)),
  ...physicalOptions,
});
type Options = z.infer<typeof Options>;

/** Any GStreamer pipeline; frames and sound with its timestamps. */
const gstreamer: Device<Options> = defineDevice({
  name: "gstreamer",
  title: "Any GStreamer pipeline",
  modalities,
  options: Options,
  delivery: "latest",
  readings(options, context) {
    const modality = chooseModality(modalities, options.modality, context.modality);
    const { pipeline, ends, latency, decoder, width, height, fps } = options;
    if (decoder !== undefined && modality === "vision") {
      const size = width && height ? { width, height } : undefined;
      const open = (inner: DeviceContext) => gstreamerUnits({ pipeline, ends, latency }, inner);
      return decodeVideo(open, { decoder, size, fps, ends }, context);
    }
    const readings = gstreamerReadings({ pipeline, modality, ends, latency, ...outputOf(modality, options) }, context);
    if (modality === "audio") return checkSound(readings, context.tell);
    return physical(readings, { ...options, tell: context.tell });
  },
});
export default gstreamer;

/** How the end of the pipeline is brought into a form that is understood here. */
function outputOf(modality: (typeof modalities)[number], options: Options) {
  const { width, height, fps, jpeg, rate, channels, bits } = options;
  if (modality === "audio") {
    const sizes = [rate && `rate=${rate}`, channels && `channels=${channels}`];
    return { convert: "audioconvert ! audioresample", caps: caps(["format=F32LE", "layout=interleaved", ...sizes]) };
  }
  const sizes = [width && `width=${width}`, height && `height=${height}`];
  const drop = fps ? ` ! videorate drop-only=true max-rate=${Math.max(1, Math.round(fps))}` : "";
  if (modality === "vision" && jpeg) return { convert: `queue${drop}`, caps: "image/jpeg" };
  // Depth and raw thermal values must not pass a colour conversion.
  if (modality !== "vision")
    return { convert: `queue${drop}`, caps: caps([bits === 8 ? "format=GRAY8" : "format=GRAY16_LE", ...sizes]) };
  return { convert: `queue${drop} ! videoscale ! videoconvert`, caps: caps(["format=RGB", ...sizes]) };
}

const caps = (fields: readonly (string | number | undefined)[]): string => fields.filter(Boolean).join(",");
