import { type Device, DurationText, defineDevice, gstreamerReadings, us } from "sensebind/device";
import * as z from "zod";

const Options = z.strictObject({
  /** Number of the camera port. */
  sensor: z.coerce.number().int().min(0).default(0),
  /** What the sensor delivers; must be one of its modes. */
  captureWidth: z.coerce.number().int().positive().default(1280),
  captureHeight: z.coerce.number().int().positive().default(720),
  fps: z.coerce.number().int().positive().default(30),
  /** What is handed over, scaled by the image processor. */
  width: z.coerce.number().int().positive().default(448),
  height: z.coerce.number().int().positive().default(252),
  /** 0: as mounted, 2: turned by 180° (nvvidconv). */
  flip: z.coerce.number().int().min(0).max(7).default(0),
  latency: DurationText.default(us(0)),
});

/** A CSI camera of a Jetson, through Argus; the picture is scaled in hardware before it is copied. */
const csi: Device<z.infer<typeof Options>> = defineDevice({
  name: "csi",
  title: "CSI cameras of a Jetson (Argus)",
  modalities: ["vision"],
  options: Options,
  delivery: "latest",
  readings({ sensor, captureWidth, captureHeight, fps, width, height, flip, latency }, context) {
    const mode = `video/x-raw(memory:NVMM),width=${captureWidth},height=${captureHeight},framerate=${fps}/1`;
    const scaled = `nvvidconv flip-method=${flip} ! video/x-raw,format=BGRx,width=${width},height=${height}`;
    const pipeline = `nvarguscamerasrc sensor-id=${sensor} ! ${mode} ! ${scaled}`;
    const convert = "queue ! videoconvert";
    return gstreamerReadings({ pipeline, modality: "vision", convert, caps: "format=RGB", latency }, context);
  },
});
export default csi;
