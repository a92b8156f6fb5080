import { setImmediate as nextTurn } from "node:timers/promises";
import { MPEGDecoder } from "mpg123-decoder";
import { SenseError } from "../../core/errors.js";
import { hz } from "../../core/time.js";
import type { DecodeOptions } from "./bytes.js";
import { interleave, joined, type Sound } from "./sound.js";

/** So much is decoded (2 s at 128 kbit/s) before the event loop gets a turn. */
const bytesPerTurn = 32_768;

/** The channel mode is the top of the frame header's fourth byte; 3 is mono (ISO/IEC 11172-3, 2.4.1.3). */
const isMono = (bytes: Uint8Array): boolean => bytes[3]! >> 6 === 3;

/** Decodes MP3 (MPEG layers I to III) that starts with a frame header. Throws `BAD_AUDIO`. */
export async function decodeMp3(bytes: Uint8Array, { source = "the sound" }: DecodeOptions = {}): Promise<Sound> {
  const decoder = new MPEGDecoder();
  await decoder.ready;
  try {
    const parts: (readonly Float32Array[])[] = [];
    let rate = 0;
    for (let at = 0; at < bytes.length; at += bytesPerTurn) {
      const { channelData, samplesDecoded, sampleRate } = decoder.decode(bytes.subarray(at, at + bytesPerTurn));
      // The decoder gives mono twice.
      if (samplesDecoded > 0) parts.push(isMono(bytes) ? channelData.slice(0, 1) : channelData);
      if (samplesDecoded > 0) rate = sampleRate;
      await nextTurn();
    }
    if (parts.length === 0) {
      throw new SenseError("BAD_AUDIO", `${source} has no MP3 frame that can be decoded`, {
        hint: "Convert it: ffmpeg -i in.mp3 -c:a pcm_s16le out.wav",
      });
    }
    return { rate: hz(rate), channels: parts[0]!.length, data: joined(parts.map(interleave)) };
  } finally {
    decoder.free();
  }
}
