import { MPEGDecoder } from "mpg123-decoder";
import { SenseError } from "../../core/errors.js";
import { hz } from "../../core/time.js";
import type { DecodeOptions } from "./bytes.js";
import { interleave, type Sound } from "./sound.js";

/** Decodes MP3 (MPEG layers I to III). Throws `BAD_AUDIO`. */
export async function decodeMp3(bytes: Uint8Array, { source = "the sound" }: DecodeOptions = {}): Promise<Sound> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    const { channelData, samplesDecoded, sampleRate } = decoder.decode(bytes);
    if (samplesDecoded === 0) {
      throw new SenseError("BAD_AUDIO", `${source} has no MP3 frame that can be decoded`, {
        hint: "Convert it: ffmpeg -i in.mp3 -c:a pcm_s16le out.wav",
      });
    }
    return { rate: hz(sampleRate), channels: channelData.length, data: interleave(channelData) };
  } finally {
    decoder.free();
  }
}
