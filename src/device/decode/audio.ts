import { SenseError } from "../../core/errors.js";
import { type DecodeOptions, readBytes } from "./bytes.js";
import { decodeFlac } from "./flac.js";
import type { Sound } from "./sound.js";
import { decodeWav } from "./wav.js";

/** Decodes WAV, FLAC, MP3 and Ogg Vorbis, told apart by their first bytes. Throws `BAD_AUDIO`. */
export async function decodeAudio(bytes: Uint8Array, options: DecodeOptions = {}): Promise<Sound> {
  const at = id3Length(bytes);
  const body = at > 0 ? bytes.subarray(at) : bytes;
  const magic = String.fromCharCode(...body.subarray(0, 4));
  if (magic === "RIFF" || magic === "RF64") return decodeWav(body, options);
  if (magic === "fLaC") return decodeFlac(body, options);
  if (magic === "OggS") return (await import("./ogg-vorbis.js")).decodeOgg(body, options);
  if (body[0] === 0xff && (body[1]! & 0xe6) > 0xe0) return (await import("./mpg123.js")).decodeMp3(body, options);
  throw new SenseError("BAD_AUDIO", `${options.source ?? "the sound"} is not WAV, FLAC, MP3 or Ogg Vorbis`, {
    hint: "Convert it: ffmpeg -i in -c:a pcm_s16le out.wav",
  });
}

/** The sound in a file. Throws `BAD_AUDIO`, `FILE_UNREADABLE`. */
export async function readAudio(path: string): Promise<Sound> {
  return decodeAudio(await readBytes(path), { source: path });
}

/** Bytes of an ID3v2 tag before the sound: a 28-bit size of 7 bits a byte (id3.org, ID3v2.4 section 3.1). */
function id3Length(bytes: Uint8Array): number {
  if (String.fromCharCode(...bytes.subarray(0, 3)) !== "ID3" || bytes.length < 10) return 0;
  const size = (bytes[6]! << 21) | (bytes[7]! << 14) | (bytes[8]! << 7) | bytes[9]!;
  return 10 + size;
}
