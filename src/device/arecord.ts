import { SenseError } from "../core/errors.js";
import type { Reading } from "../core/reading.js";
import { type Duration, hz } from "../core/time.js";
import { startChild } from "./child.js";
import type { DeviceContext } from "./define.js";
import { LiveTime } from "./live-time.js";
import { audioChannels } from "./media-format.js";

export interface ArecordOptions {
  /** ALSA's name: `plughw:1,0`, `default`. */
  readonly device: string;
  readonly rate: number;
  readonly channels: number;
  readonly block: Duration;
}

/** Sound from ALSA by its own recorder; times are the sample count, steered by the arrival. Throws `TOOL_MISSING`, `DEVICE_FAILED`. */
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
  let sent = 0;
  for await (const chunk of child.stdout as AsyncIterable<Uint8Array>) {
    const bytes = new Uint8Array(Buffer.concat([rest, chunk]));
    let at = 0;
    for (; at + size <= bytes.length; at += size) {
      const samples = new Int16Array(bytes.buffer.slice(at, at + size));
      const data = Float32Array.from(samples, (value) => value / 32768);
      // The converter's own clock is its sample count.
      const stamp = time.ofBlock(sent++ * span, span);
      yield { kind: "block", modality: "audio", time: stamp, channels: audioChannels(channels), rate: hz(rate), data };
    }
    rest = bytes.subarray(at);
  }
  await child.ended();
  if (!signal.aborted) throw new SenseError("DEVICE_FAILED", `the recording from ${device} came to its end`);
}
