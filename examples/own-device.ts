/** A device of your own: one definition, supervised like every other. This one makes up a thermometer with two channels. */
import { SenseError, silent, supervise } from "sensebind";
import { defineDevice, hz, micros, pause } from "sensebind/device";
import * as z from "zod";

const thermometer = defineDevice({
  name: "thermometer",
  title: "Two thermometers that do not exist",
  modalities: ["other"],
  options: z.strictObject({ rate: z.number().positive().default(20) }),
  delivery: "latest",
  async *readings({ rate }, { clock, signal }) {
    for (let i = 0; !signal.aborted; i++) {
      const data = Float32Array.of(20 + Math.sin(i / 10), 18 + Math.cos(i / 10));
      yield {
        kind: "block",
        modality: "other",
        time: clock.now(),
        channels: ["inside", "outside"],
        rate: hz(rate),
        data,
      };
      await pause((1e6 / rate) as never, signal);
    }
  },
});

const stop = new AbortController();
const clock = { now: () => micros(Date.now() * 1e3) };
const context = { signal: stop.signal, clock, log: silent, folder: "." };
const sensor = supervise(thermometer, { sensor: "porch", options: { rate: 50 } }, context);

for await (const { seq, reading } of sensor) {
  if (reading.kind !== "block") throw new SenseError("BAD_ARGUMENT", "a thermometer gives blocks");
  console.log(seq, ...reading.data);
  if (seq === 4) break;
}
console.log(sensor.health.state, sensor.health.readings);
