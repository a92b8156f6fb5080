import { MPEGDecoder } from "mpg123-decoder";
import { SenseError } from "../../core/errors.js";
import { hz } from "../../core/time.js";
import type { DecodeOptions } from "./bytes.js";
import { interleave, type Sound } from "./sound.js";

/** The channel mode is the top of the frame header's fourth byte; 3 is mono (ISO/IEC 11172-3, 2.4.1.3). */
const isMono = (bytes: Uint8Array): boolean => bytes[3]! >> 6 === 3;

/** Decodes MP3 (MPEG layers I to III) that starts with a frame header. Throws `BAD_AUDIO`. */
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
    // The decoder gives mono twice.
    const planes = isMono(bytes) ? channelData.slice(0, 1) : channelData;
    return { rate: hz(sampleRate), channels: planes.length, data: interleave(planes) };
  } finally {
    decoder.free();
  }
}
