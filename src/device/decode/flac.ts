import { setImmediate as nextTurn } from "node:timers/promises";
import { SenseError } from "../../core/errors.js";
import { hz } from "../../core/time.js";
import { EndOfBits } from "./bit-reader.js";
import type { DecodeOptions } from "./bytes.js";
import { decodeFrame, type FlacStream } from "./flac-frame.js";
import { DamagedFrame } from "./flac-subframe.js";
import { joined, type Sound } from "./sound.js";

/** So many frames (of some 4,096 samples) are decoded before the event loop gets a turn. */
const framesPerTurn = 8;

/**
 * Decodes native FLAC of up to 24 bits (RFC 9639), exact to the sample, each frame checked by its CRC. A file that ends inside a
 * frame gives the frames before; one that is damaged elsewhere throws `BAD_AUDIO`.
 */
export async function decodeFlac(bytes: Uint8Array, { source = "the sound" }: DecodeOptions = {}): Promise<Sound> {
  const bad = (what: string) =>
    new SenseError("BAD_AUDIO", `${source} ${what}`, { hint: "Get an undamaged copy: flac -t tells what is wrong." });
  const found = parseHeader(bytes);
  if (!found) throw bad("is not a FLAC file, or its header is cut off");
  const { stream } = found;
  if (stream.bits > 24 || stream.rate === 0) throw bad(`has ${stream.bits} bits at ${stream.rate} Hz`);
  const blocks: Float32Array[] = [];
  let at = found.at;
  try {
    while (at < bytes.length) {
      const frame = decodeFrame(bytes, at, stream);
      blocks.push(frame.data);
      at = frame.end;
      if (blocks.length % framesPerTurn === 0) await nextTurn();
    }
  } catch (error) {
    if (error instanceof DamagedFrame) throw bad(`is damaged at byte ${at}: ${error.message}`);
    if (!(error instanceof EndOfBits)) throw error;
  }
  if (blocks.length === 0) throw bad("has no samples");
  return { rate: hz(stream.rate), channels: stream.channels, data: joined(blocks) };
}

/** STREAMINFO, the first metadata block, and where the frames begin. */
function parseHeader(bytes: Uint8Array): { stream: FlacStream; at: number } | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let stream: FlacStream | undefined;
  for (let at = 4, last = false; !last; ) {
    if (at + 4 > bytes.length) return undefined;
    const head = view.getUint32(at);
    const size = head & 0xffffff;
    last = head >>> 31 === 1;
    if (((head >>> 24) & 0x7f) === 0 && size >= 34 && at + 38 <= bytes.length) {
      const packed = view.getUint32(at + 14);
      stream = { rate: packed >>> 12, channels: ((packed >>> 9) & 7) + 1, bits: ((packed >>> 4) & 31) + 1 };
    }
    at += 4 + size;
    if (last && stream) return { stream, at };
  }
  return undefined;
}
