import { type Device, DurationText, defineDevice, iioReadings, iioSensors, ms } from "sensebind/device";
import * as z from "zod";

const Axis = z.enum(["x", "y", "z", "-x", "-y", "-z"]);

const Options = z.strictObject({
  /** Name of the sensor (its sysfs file `name`) or of its folder, `iio:device0`. */
  device: z.string(),
  /** Samples a second to set; the sensor's own unless given. */
  rate: z.coerce.number().positive().optional(),
  /** Which of the sensor's axes stands for x, y and z. */
  axes: z.tuple([Axis, Axis, Axis]).default(["x", "y", "z"]),
  /** Length of a block. */
  block: DurationText.default(ms(50)),
  sysfs: z.string().default("/sys/bus/iio/devices"),
  dev: z.string().default("/dev"),
});
type Options = z.infer<typeof Options>;

/** An inertial sensor with a Linux IIO driver, read through its buffer. */
const iio: Device<Options> = defineDevice({
  name: "iio",
  title: "Inertial sensors with a Linux IIO driver",
  modalities: ["imu"],
  options: Options,
  delivery: "latest",
  readings: (options, context) => iioReadings(options, context),
  async discover() {
    const sensors = await iioSensors("/sys/bus/iio/devices");
    return sensors.map(({ folder, name }) => ({ title: `${name} (${folder})`, options: { device: name } }));
  },
});
export default iio;
