import { type Device, DurationText, defineDevice, ffmpegReadings, gstreamerReadings, us } from "sensebind/device";
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
  /** GStreamer: what takes the stream apart and decodes it; on a Jetson `rtph264depay ! h264parse ! nvv4l2decoder ! nvvidconv`. */
  decode: z.string().default("rtph264depay ! h264parse ! avdec_h264"),
  latency: DurationText.default(us(0)),
});

/** A network camera. */
const rtsp: Device<z.infer<typeof Options>> = defineDevice({
  name: "rtsp",
  title: "Network cameras (RTSP, ONVIF)",
  modalities: ["vision"],
  options: Options,
  delivery: "latest",
  readings({ url, via, transport, width, height, fps, decode, latency }, context) {
    const size = `width=${width},height=${height}`;
    if (via === "ffmpeg") {
      const input = ["-rtsp_transport", transport, "-fflags", "nobuffer", "-i", url];
      const filter = `fps=${fps},scale=${width}:${height}`;
      return ffmpegReadings({ input, modality: "vision", filter, latency }, context);
    }
    const pipeline = `rtspsrc location="${url}" protocols=${transport} latency=200 ! ${decode}`;
    const convert = `queue ! videorate drop-only=true max-rate=${fps} ! videoscale ! videoconvert`;
    return gstreamerReadings({ pipeline, modality: "vision", convert, caps: `format=RGB,${size}`, latency }, context);
  },
});
export default rtsp;
