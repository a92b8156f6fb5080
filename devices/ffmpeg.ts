import {
  checkSound,
  chooseModality,
  type Device,
  type DeviceContext,
  DurationText,
  decodeVideo,
  defineDevice,
  ffmpegDecoder,
  ffmpegReadings,
  ffmpegUnits,
  physical,
  physicalOptions,
  sizeOptions,
  us,
} from "sensebind/device";
import * as z from "zod";

const modalities = ["vision", "audio", "depth", "thermal"] as const;

const Options = z.strictObject({
  /** What follows `-i`: a file, a URL, a device. */
  input: z.string(),
  /** Demuxer, `-f`: lavfi, v4l2, alsa, … */
  format: z.string().optional(),
  /** Further input options, by name: `{ rtsp_transport: tcp, re: true }`. */
  inputOptions: z.record(z.string(), z.union([z.literal(true), z.coerce.string()])).default({}),
  modality: z.enum(modalities).optional(),
  ...sizeOptions,
  rate: z.coerce.number().int().positive().optional(),
  channels: z.coerce.number().int().positive().optional(),
  /** Send a JPEG of each frame instead of its pixels. */
  encode: z.enum(["raw", "jpeg"]).default("raw"),
  /** What decodes H.264: `node-webcodecs`, or a decoder of ffmpeg (`v4l2m2m`, `h264_cuvid`); ffmpeg's choice unless given. */
  decoder: z.string().optional(),
  ends: z.stringbool().or(z.boolean()).default(false),
  /** Known delay between exposure and timestamp. */
  latency: DurationText.default(us(0)),
  ...physicalOptions,
});
type Options = z.infer<typeof Options>;

/** Anything that ffmpeg can read; frames and sound with its timestamps. */
const ffmpeg: Device<Options> = defineDevice({
  name: "ffmpeg",
  title: "Any input of ffmpeg",
  modalities,
  options: Options,
  delivery: "latest",
  readings(options, context) {
    const modality = chooseModality(modalities, options.modality, context.modality);
    const { encode, ends, latency, decoder, width, height, fps } = options;
    const input = inputOf(options);
    if (decoder === "node-webcodecs" && modality === "vision") {
      const size = width && height ? { width, height } : undefined;
      const open = (inner: DeviceContext) => ffmpegUnits({ input, modality, ends, latency }, inner);
      return decodeVideo(open, { decoder, size, fps, ends }, context);
    }
    const readings = ffmpegReadings(
      {
        ...{ input, modality, filter: filterOf(modality, options), encode, ends, latency },
        decoder: decoder && ffmpegDecoder(decoder),
      },
      context,
    );
    if (modality === "audio") return checkSound(readings, context.tell);
    return physical(readings, { ...options, tell: context.tell });
  },
});
export default ffmpeg;

function inputOf({ input, format, inputOptions }: Options): string[] {
  const more = Object.entries(inputOptions).flatMap(([name, value]) =>
    value === true ? [`-${name}`] : [`-${name}`, value],
  );
  return [...(format === undefined ? [] : ["-f", format]), ...more, "-i", input];
}

function filterOf(modality: (typeof modalities)[number], options: Options): string | undefined {
  const { width, height, fps, rate, channels } = options;
  const layout = channels && `channel_layouts=${channels === 1 ? "mono" : channels === 2 ? "stereo" : `${channels}c`}`;
  const audio = [rate && `aresample=${rate}`, layout && `aformat=${layout}`];
  // Neighbouring depths and temperatures must not be mixed.
  const flags = modality === "vision" ? "bilinear" : "neighbor";
  const size = (width || height) && `scale=${width ?? -1}:${height ?? -1}:flags=${flags}`;
  const filters = modality === "audio" ? audio : [fps && `fps=${fps}`, size];
  return filters.filter(Boolean).join(",") || undefined;
}
