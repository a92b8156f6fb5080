import { readFile } from "node:fs/promises";
import {
  arecordReadings,
  checkSound,
  type Device,
  DurationText,
  defineDevice,
  gstreamerReadings,
  ms,
} from "sensebind/device";
import * as z from "zod";

const Options = z.strictObject({
  /** What records: ALSA, PulseAudio or PipeWire through GStreamer, or ALSA's arecord. */
  via: z.enum(["alsa", "pulse", "pipewire", "arecord"]).default("alsa"),
  /** ALSA: `plughw:1,0`; PulseAudio and PipeWire: the name of the source. */
  device: z.string().default("default"),
  rate: z.coerce.number().int().positive().default(16_000),
  channels: z.coerce.number().int().positive().default(1),
  /** Length of a block. */
  block: DurationText.default(ms(50)),
});
type Options = z.infer<typeof Options>;

const sources = {
  alsa: ({ device }: Options) => `alsasrc device=${device}`,
  pulse: ({ device }: Options) => `pulsesrc${device === "default" ? "" : ` device=${device}`}`,
  pipewire: ({ device }: Options) => `pipewiresrc${device === "default" ? "" : ` target-object=${device}`}`,
} as const;

/** A microphone of this machine. */
const microphone: Device<Options> = defineDevice({
  name: "microphone",
  title: "Microphones: ALSA, PulseAudio, PipeWire",
  modalities: ["audio"],
  options: Options,
  delivery: "latest",
  readings(options, context) {
    const { via, rate, channels, block } = options;
    if (via === "arecord") return checkSound(arecordReadings(options, context), context.tell);
    // Both in microseconds: how often the source hands over, and how much it holds.
    const pipeline = `${sources[via](options)} latency-time=${Math.round(block)} buffer-time=${Math.round(block * 8)}`;
    const plain = via === "pipewire" ? sources[via](options) : pipeline;
    const caps = `format=F32LE,layout=interleaved,rate=${rate},channels=${channels}`;
    const convert = "audioconvert ! audioresample";
    return checkSound(gstreamerReadings({ pipeline: plain, modality: "audio", caps, convert }, context), context.tell);
  },
  async discover() {
    // `00-00: ALC256 Analog : ALC256 Analog : playback 1 : capture 1`
    const text = await readFile("/proc/asound/pcm", "utf8").catch(() => "");
    return [...text.matchAll(/^(\d+)-(\d+): ([^:]*) :.*capture/gm)].map(([, card, device, title]) => ({
      title: title!.trim(),
      options: { device: `plughw:${Number(card)},${Number(device)}` },
    }));
  },
});
export default microphone;
