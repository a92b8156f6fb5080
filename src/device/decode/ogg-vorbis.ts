import { OggVorbisDecoder } from "@wasm-audio-decoders/ogg-vorbis";
import { SenseError } from "../../core/errors.js";
import { hz } from "../../core/time.js";
import type { DecodeOptions } from "./bytes.js";
import { interleave, type Sound } from "./sound.js";

/** Decodes Ogg Vorbis. Throws `BAD_AUDIO`, also for Ogg files that hold another codec. */
export async function decodeOgg(bytes: Uint8Array, { source = "the sound" }: DecodeOptions = {}): Promise<Sound> {
  const bad = (cause?: unknown) =>
    new SenseError("BAD_AUDIO", `${source} has no Ogg Vorbis page that can be decoded`, {
      hint: "Convert it: ffmpeg -i in.ogg -c:a pcm_s16le out.wav",
      cause,
    });
  const decoder = new OggVorbisDecoder();
  await decoder.ready;
  try {
    const { channelData, samplesDecoded, sampleRate } = await decoder.decodeFile(bytes).catch((cause: unknown) => {
      throw bad(cause);
    });
    if (samplesDecoded === 0) throw bad();
    return { rate: hz(sampleRate), channels: channelData.length, data: interleave(channelData) };
  } finally {
    decoder.free();
  }
}
