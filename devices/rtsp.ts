import {
  type Device,
  DurationText,
  decodeVideo,
  defineDevice,
  ffmpegDecoder,
  ffmpegReadings,
  ffmpegUnits,
  gstreamerReadings,
  gstreamerUnits,
  isDecoderName,
  us,
} from "sensebind/device";
import * as z from "zod";

const Options = z.strictObject({
  /** rtsp://user:password@camera/stream; ONVIF cameras tell it in their settings. */
  url: z.string().regex(/^rtsps?:\/\//, "begin with rtsp://"),
  /** What receives and decodes. */
  via: z.enum(["ffmpeg", "gstreamer"]).default("ffmpeg"),
  transport: z.enum(["tcp", "udp"]).default("tcp"),
  width: z.coerce.number().int().positive().default(448),
  height: z.coerce.number().int().positive().default(252),
  fps: z.coerce.number().int().positive().default(10),
  /** What decodes: `ffmpeg`, `node-webcodecs`, `v4l2m2m`, or an element of GStreamer (via: gstreamer), `nvv4l2decoder`. */
  decoder: z.string().optional(),
  /** GStreamer: what takes the stream apart and decodes it, instead of `decoder`, for a stream that is not H.264. */
  decode: z.string().optional(),
  latency: DurationText.default(us(0)),
});
type Options = z.infer<typeof Options>;

/** A network camera. */
const rtsp: Device<Options> = defineDevice({
  name: "rtsp",
  title: "Network cameras (RTSP, ONVIF)",
  modalities: ["vision"],
  options: Options,
  delivery: "latest",
  readings(options, context) {
    const { via, width, height, fps, decoder = via === "ffmpeg" ? "ffmpeg" : "avdec_h264", latency } = options;
    const hosted = decoder === "node-webcodecs" || (via === "gstreamer" && isDecoderName(decoder));
    if (hosted && options.decode === undefined) {
      const units = via === "ffmpeg" ? ffmpegUnits : gstreamerUnits;
      const source = {
        ...ffmpegSource(options),
        pipeline: gstreamerSource(options, "rtph264depay ! h264parse config-interval=-1"),
      };
      return decodeVideo((inner) => units(source, inner), { decoder, size: { width, height }, fps }, context);
    }
    if (via === "ffmpeg") {
      context.tell?.({ decoder: "ffmpeg" });
      const filter = `fps=${fps},scale=${width}:${height}`;
      return ffmpegReadings({ ...ffmpegSource(options), filter, decoder: ffmpegDecoder(decoder) }, context);
    }
    const { decode = `rtph264depay ! h264parse ! ${decoder}` } = options;
    context.tell?.({ decoder: `gstreamer (${options.decode === undefined ? decoder : "decode"})` });
    const convert = `queue ! videorate drop-only=true max-rate=${fps} ! videoscale ! videoconvert`;
    const caps = `format=RGB,width=${width},height=${height}`;
    return gstreamerReadings(
      { pipeline: gstreamerSource(options, decode), modality: "vision", convert, caps, latency },
      context,
    );
  },
});
export default rtsp;

const ffmpegSource = ({ transport, url, latency }: Options) => ({
  input: ["-rtsp_transport", transport, "-fflags", "nobuffer", "-i", url],
  modality: "vision" as const,
  latency,
});

const gstreamerSource = ({ url, transport }: Options, decode: string): string =>
  `rtspsrc location="${url}" protocols=${transport} latency=200 ! ${decode}`;
