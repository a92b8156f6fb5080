import { resolve } from "node:path";
import { type Device, defineDevice, micros, paced, type Reading, replayReadings, SenseError } from "sensebind/device";
import * as z from "zod";

const Options = z.strictObject({
  /** The recording, an MCAP file that `record` made. */
  path: z.string(),
  /** Which of its sensors to play. */
  sensor: z.string(),
  /** `fast` keeps the recorded times; `realtime` moves the start of the recording to now. */
  pace: z.enum(["realtime", "fast"]).default("fast"),
});
type Options = z.infer<typeof Options>;

/** Plays one sensor of a recording. */
const replay: Device<Options> = defineDevice({
  name: "replay",
  title: "One sensor of an MCAP recording",
  modalities: ["vision", "audio", "depth", "thermal", "imu", "other"],
  options: Options,
  delivery: "all",
  async *readings({ path, sensor, pace }, { clock, signal, folder, log, tell }) {
    const file = resolve(folder, path);
    tell?.({ clock: { offsetUs: 0, driftPpm: 0, source: "file" } });
    const origin = await beginOf(file);
    let given = 0;
    async function* played(): AsyncGenerator<Reading> {
      for await (const { reading } of replayReadings(file, {
        sensor,
        report: ({ damage, skipped }) => {
          tell?.({ corrupt: skipped });
          if (damage) log.warn({ file, ...damage }, "the recording is cut off or damaged");
        },
      })) {
        given += 1;
        yield reading;
      }
    }
    // All sensors of a recording count from its first reading, so that they stay together.
    const start = pace === "fast" ? origin : undefined;
    yield* paced(played(), { pace, origin, start, clock, signal });
    if (given === 0 && !signal.aborted) {
      throw new SenseError("BAD_RECORDING", `${file} has no reading of a sensor "${sensor}"`, {
        hint: "Name one of its sensors.",
      });
    }
  },
});
export default replay;

async function beginOf(file: string) {
  for await (const { reading } of replayReadings(file)) return reading.time;
  return micros(0);
}
