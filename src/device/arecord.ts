import { SenseError } from "../core/errors.js";
import type { Reading } from "../core/reading.js";
import { type Duration, hz } from "../core/time.js";
import { startChild } from "./child.js";
import type { DeviceContext } from "./define.js";
import { LiveTime } from "./live-time.js";
import { audioChannels } from "./media-format.js";
import { SampleClock } from "./sample-clock.js";

export interface ArecordOptions {
  /** ALSA's name: `plughw:1,0`, `default`. */
  readonly device: string;
  readonly rate: number;
  readonly channels: number;
  readonly block: Duration;
}

/** Sound from ALSA by its own recorder; times are the sample count, steered by the arrival, which also shows where samples were lost. Throws `TOOL_MISSING`, `DEVICE_FAILED`. */
export async function* arecordReadings(options: ArecordOptions, context: DeviceContext): AsyncGenerator<Reading> {
  const { device, rate, channels, block } = options;
  const { signal, clock, tell = () => {} } = context;
  const format = ["-f", "S16_LE", "-r", String(rate), "-c", String(channels), "-t", "raw"];
  await using child = startChild(["arecord", "-q", "-D", device, ...format], {
    signal,
    hint: "apt install alsa-utils",
  });
  const time = new LiveTime({ clock, latency: 0 as Duration, tell });
  const size = Math.max(1, Math.round((block * rate) / 1e6)) * channels * 2;
  const span = ((size / channels / 2) * 1e6) / rate;
  let rest: Uint8Array = new Uint8Array();
  const samples = size / channels / 2;
  const count = new SampleClock(rate);
  let lost = 0;
  for await (const chunk of child.stdout as AsyncIterable<Uint8Array>) {
    const bytes = new Uint8Array(Buffer.concat([rest, chunk]));
    let at = 0;
    for (; at + size <= bytes.length; at += size) {
      const data = Float32Array.from(new Int16Array(bytes.buffer.slice(at, at + size)), (value) => value / 32768);
      const stamp = time.ofBlock(count.next(samples, clock.now()), span);
      if (count.lost > lost) tell({ lost: count.lost });
      lost = count.lost;
      yield { kind: "block", modality: "audio", time: stamp, channels: audioChannels(channels), rate: hz(rate), data };
    }
    rest = bytes.subarray(at);
  }
  await child.ended();
  if (!signal.aborted) {
    throw new SenseError("DEVICE_FAILED", `the recording from ${device} came to its end`, {
      hint: "Was it unplugged? `arecord -l` lists the sound cards.",
    });
  }
}
