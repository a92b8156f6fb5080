import { setTimeout as pause } from "node:timers/promises";
import { defineDevice, type Micros, micros, replayReadings } from "sensebind/device";
import * as z from "zod";

/** One sensor of a recording as if it were live, some times faster than time goes or as fast as it is taken, again and again. */
export default defineDevice({
  name: "hurried",
  title: "A recording, faster than time goes",
  modalities: ["vision", "other"],
  options: z.strictObject({
    path: z.string(),
    sensor: z.string(),
    speed: z.number(),
    period: z.number(),
    pace: z.literal("realtime"),
  }),
  delivery: "all",
  async *readings({ path, sensor, speed, period }, { signal }) {
    const began = performance.now();
    let first: Micros | undefined;
    for (let round = 0; !signal.aborted; round++) {
      for await (const { reading } of replayReadings(path, { sensor })) {
        first ??= reading.time;
        const time = micros(reading.time + round * period * 1e6);
        const wait = (time - first) / 1e3 / speed - (performance.now() - began);
        if (wait > 0) await pause(wait, undefined, { signal }).catch(() => {});
        if (signal.aborted) return;
        yield { ...reading, time };
      }
    }
  },
});
