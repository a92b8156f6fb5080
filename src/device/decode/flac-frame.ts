import { crc16 } from "../crc16.js";
import { BitReader } from "./bit-reader.js";
import { DamagedFrame, decodeSubframe } from "./flac-subframe.js";

/** What STREAMINFO says and every frame must repeat. */
export interface FlacStream {
  readonly rate: number;
  readonly channels: number;
  readonly bits: number;
}

/** Block size by its 4-bit code; 6 and 7 are read from the end of the header (RFC 9639, 9.1.1). */
const blockSizes = [0, 192, 576, 1152, 2304, 4608, 0, 0, 256, 512, 1024, 2048, 4096, 8192, 16384, 32768];
/** Sample size by its 3-bit code; 0 means as in STREAMINFO (RFC 9639, 9.1.4). */
const sampleSizes = [0, 8, 12, -1, 16, 20, 24, 32];

/** Decodes the frame at byte `at`: interleaved samples in [-1, 1) and the byte after it. */
export function decodeFrame(bytes: Uint8Array, at: number, stream: FlacStream): { data: Float32Array; end: number } {
  const reader = new BitReader(bytes, at);
  if (reader.bits(15) !== 0x7ffc) throw new DamagedFrame("no frame starts here");
  reader.bits(1);
  const sizeCode = reader.bits(4);
  const rateCode = reader.bits(4);
  const layout = reader.bits(4);
  const bits = sampleSizes[reader.bits(3)]! || stream.bits;
  reader.bits(1);
  skipFrameNumber(reader);
  const size = sizeCode === 6 ? reader.bits(8) + 1 : sizeCode === 7 ? reader.bits(16) + 1 : blockSizes[sizeCode]!;
  reader.bits(rateCode === 12 ? 8 : rateCode === 13 || rateCode === 14 ? 16 : 0);
  reader.bits(8); // The header's CRC-8: the frame's CRC-16 covers the same bytes.
  const channels = layout < 8 ? layout + 1 : 2;
  if (size === 0 || layout > 10 || bits !== stream.bits || channels !== stream.channels) {
    throw new DamagedFrame("a frame header contradicts the file's header");
  }
  const planes = Array.from({ length: channels }, (_, c) => decodeSubframe(reader, size, bits + sideBit(layout, c)));
  reader.align();
  const end = reader.position;
  if (crc16(bytes, at, end) !== reader.bits(16)) throw new DamagedFrame("a frame's checksum is wrong");
  decorrelate(planes, layout);
  return { data: scaled(planes, size, 2 ** (bits - 1)), end: end + 2 };
}

/** The frame or sample number, coded like UTF-8; nothing here needs its value. */
function skipFrameNumber(reader: BitReader): void {
  const ones = Math.clz32(~(reader.bits(8) << 24));
  for (let i = 1; i < ones; i++) reader.bits(8);
}

/** The side channel has one bit more. */
const sideBit = (layout: number, channel: number): number =>
  (layout === 9 && channel === 0) || ((layout === 8 || layout === 10) && channel === 1) ? 1 : 0;

/** Left/side (8), side/right (9) and mid/side (10) back to left and right, in place. */
function decorrelate(planes: readonly Int32Array[], layout: number): void {
  if (layout < 8) return;
  const [a, b] = planes as [Int32Array, Int32Array];
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    if (layout === 8) b[i] = x - y;
    else if (layout === 9) a[i] = x + y;
    else {
      const mid = (x << 1) | (y & 1);
      a[i] = (mid + y) >> 1;
      b[i] = (mid - y) >> 1;
    }
  }
}

function scaled(planes: readonly Int32Array[], size: number, half: number): Float32Array {
  const channels = planes.length;
  const data = new Float32Array(size * channels);
  for (let c = 0; c < channels; c++) {
    const plane = planes[c]!;
    for (let t = 0; t < size; t++) data[t * channels + c] = plane[t]! / half;
  }
  return data;
}
