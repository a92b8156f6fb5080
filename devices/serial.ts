import {
  type Device,
  DurationText,
  defineDevice,
  FrameStream,
  openSerial,
  readSchema,
  serialPorts,
  turnAxes,
} from "sensebind/device";
import * as z from "zod";

const Axis = z.enum(["x", "y", "z", "-x", "-y", "-z"]);

const Options = z.strictObject({
  /** The port; /dev/serial/by-id/… stays the same after a replug. */
  path: z.string(),
  /** Id of a firmware schema, or a JSON file of your own. */
  schema: z.string(),
  baud: z.coerce.number().int().positive().default(115_200),
  /** Samples a second that the device really sends, where it is not the schema's rate. */
  rate: z.coerce.number().positive().optional(),
  /** Which of the sensor's axes stands for x, y and z, for inertial schemas: how it is mounted. */
  axes: z.tuple([Axis, Axis, Axis]).optional(),
  /** How often the device is asked for its time, if its firmware answers. */
  sync: DurationText.optional(),
});
type Options = z.infer<typeof Options>;

/** A microcontroller that sends frames of a firmware schema. */
const serial: Device<Options> = defineDevice({
  name: "serial",
  title: "Frames of a firmware schema over a serial port",
  modalities: ["imu", "thermal", "depth", "audio", "other"],
  options: Options,
  delivery: "latest",
  async *readings({ path, schema: id, baud, rate, axes, sync }, { signal, clock, folder, tell = () => {} }) {
    const schema = await readSchema(id, { folder });
    await using line = await openSerial({ path, baud, signal });
    const timesync = sync === undefined ? undefined : await readSchema("timesync.v1");
    const stream = new FrameStream({ ...schema, rate: rate ?? schema.rate }, { clock, tell, timesync });
    let asked = Number.NEGATIVE_INFINITY;
    for await (const bytes of line.bytes) {
      for (const reading of stream.push(bytes)) {
        if (signal.aborted) return;
        yield axes ? turnAxes(reading, axes) : reading;
      }
      if (sync === undefined || clock.now() - asked < sync) continue;
      asked = clock.now();
      const ping = stream.ping();
      if (ping) line.write(ping);
    }
  },
  async discover() {
    return (await serialPorts()).map(({ path, title }) => ({ title, options: { path, schema: "imu-6axis.v1" } }));
  },
});
export default serial;
