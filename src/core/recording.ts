import * as z from "zod";
import { SenseError } from "./errors.js";
import { Modality } from "./modality.js";
import type { Block, EncodedFrame, Frame, Intrinsics, PixelFormat, Reading } from "./reading.js";
import { hz, type Micros } from "./time.js";

/** What a recording says of each sensor: enough to replay it without its configuration. */
export const RecordedSensor = z.object({ modality: Modality.exclude(["text"]), device: z.string() });
export type RecordedSensor = Readonly<z.infer<typeof RecordedSensor>>;

/** The layout of a message of a recording, stored in the file itself as its schema. Little-endian. */
export const readingSchema = `sensebind.Reading, version 1, little-endian. The message's log time is the event time.
u8  kind        1 frame, 2 block, 3 encoded picture
u8  modality    0 vision, 1 audio, 2 depth, 3 thermal, 4 imu, 5 other
u8  code        frame: 0 rgb8, 1 gray8, 2 gray16, 3 float32; block: 0 float32, 1 int16 / 32768; encoded: 0 JPEG, 1 PNG, 2 WebP
u8  flags       bit 0: intrinsics follow the head, of frames only; the others are zero
u16 a, u16 b    frame: width, height; block: bytes of the channel names, 0; encoded: 0, 0
intrinsics:     u32 width, u32 height, f64 fx, fy, cx, cy, in pixels
block only:     f64 rate in hertz, then the channel names, separated by line feeds, padded with zeros to a multiple of 4
the rest:       pixels by row, samples interleaved, or the bytes of the picture
`;

const modalities: readonly Reading["modality"][] = ["vision", "audio", "depth", "thermal", "imu", "other"];
const formats: readonly PixelFormat[] = ["rgb8", "gray8", "gray16", "float32"];
const mimes: readonly EncodedFrame["mime"][] = ["image/jpeg", "image/png", "image/webp"];
const kinds = { frame: 1, block: 2, encoded: 3 } as const;
const headBytes = 8;
const hasIntrinsics = 1;
const intrinsicsBytes = 40;
const float32Code = 0;
const int16Code = 1;

/** The bytes of a reading, without its time. Throws `BAD_ARGUMENT` for a frame of more than 65535 pixels a side. */
export function encodeReading(reading: Reading): Uint8Array {
  switch (reading.kind) {
    case "frame":
      return encodeFrame(reading);
    case "block":
      return encodeBlock(reading);
    case "encoded": {
      const out = start(reading, { code: mimes.indexOf(reading.mime), size: reading.data.length });
      out.set(reading.data, headBytes);
      return out;
    }
    default:
      return reading satisfies never;
  }
}

/** A reading from its bytes; the data are copied. Throws `BAD_RECORDING`. */
export function decodeReading(bytes: Uint8Array, time: Micros): Reading {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < headBytes) throw bad(`has ${bytes.length} bytes`);
  const modality = modalities[bytes[1]!];
  const [kind, code] = [bytes[0]!, bytes[2]!];
  if (modality === undefined) throw bad(`has modality ${bytes[1]}`);
  if (kind === kinds.frame) return { ...decodeFrame(bytes, view, code), modality, time };
  if (kind === kinds.block) return { ...decodeBlock(bytes, view, code), modality, time };
  const mime = mimes[code];
  if (kind !== kinds.encoded || modality !== "vision" || mime === undefined)
    throw bad(`has kind ${kind}, code ${code}`);
  return { kind: "encoded", modality, time, mime, data: copyOf(bytes, headBytes) };
}

function start(reading: Reading, { code, size, a = 0, b = 0 }: { code: number; size: number; a?: number; b?: number }) {
  const out = new Uint8Array(headBytes + size);
  out.set([kinds[reading.kind], modalities.indexOf(reading.modality), code, 0]);
  const view = new DataView(out.buffer);
  view.setUint16(4, a, true);
  view.setUint16(6, b, true);
  return out;
}

function encodeFrame(frame: Frame): Uint8Array {
  const { width, height, data, format } = frame;
  if (width > 0xffff || height > 0xffff) {
    throw new SenseError("BAD_ARGUMENT", `a frame of ${width} x ${height} is too large for a recording`, {
      hint: "Scale it down at the source.",
    });
  }
  const { intrinsics } = frame;
  const before = intrinsics ? intrinsicsBytes : 0;
  const out = start(frame, { code: formats.indexOf(format), size: before + data.byteLength, a: width, b: height });
  if (intrinsics) {
    out[3] = hasIntrinsics;
    putIntrinsics(new DataView(out.buffer), intrinsics);
  }
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), headBytes + before);
  return out;
}

function putIntrinsics(view: DataView, { width, height, fx, fy, cx, cy }: Intrinsics): void {
  view.setUint32(headBytes, width, true);
  view.setUint32(headBytes + 4, height, true);
  [fx, fy, cx, cy].forEach((value, i) => void view.setFloat64(headBytes + 8 + i * 8, value, true));
}

function getIntrinsics(view: DataView): Intrinsics {
  const [fx, fy, cx, cy] = [0, 1, 2, 3].map((i) => view.getFloat64(headBytes + 8 + i * 8, true)) as [
    ...[number, number, number, number],
  ];
  return { width: view.getUint32(headBytes, true), height: view.getUint32(headBytes + 4, true), fx, fy, cx, cy };
}

function decodeFrame(bytes: Uint8Array, view: DataView, code: number): Omit<Frame, "modality" | "time"> {
  const format = formats[code];
  const [width, height] = [view.getUint16(4, true), view.getUint16(6, true)];
  if (format === undefined) throw bad(`has pixel format ${code}`);
  const flags = bytes[3]!;
  const from = headBytes + (flags === hasIntrinsics ? intrinsicsBytes : 0);
  if (flags > hasIntrinsics || bytes.length < from) throw bad(`has flags ${flags} and ${bytes.length} bytes`);
  const raw = copyOf(bytes, from);
  const pixel = { rgb8: 3, gray8: 1, gray16: 2, float32: 4 }[format];
  if (raw.length !== width * height * pixel) throw bad(`has ${raw.length} bytes for ${width} x ${height} ${format}`);
  const data = format === "gray16" ? new Uint16Array(raw.buffer) : format === "float32" ? floats(raw) : raw;
  const frame = { kind: "frame", format, width, height, data } as const;
  return flags === hasIntrinsics ? { ...frame, intrinsics: getIntrinsics(view) } : frame;
}

function encodeBlock(block: Block): Uint8Array {
  const names = new TextEncoder().encode(block.channels.join("\n"));
  const at = 8 + Math.ceil(names.length / 4) * 4;
  const packed = asInt16(block.data);
  const data = packed ?? block.data;
  const code = packed ? int16Code : float32Code;
  const out = start(block, { code, size: at + data.byteLength, a: names.length });
  new DataView(out.buffer).setFloat64(headBytes, block.rate, true);
  out.set(names, headBytes + 8);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), headBytes + at);
  return out;
}

function decodeBlock(bytes: Uint8Array, view: DataView, code: number): Omit<Block, "modality" | "time"> {
  const length = view.getUint16(4, true);
  const at = headBytes + 8 + Math.ceil(length / 4) * 4;
  if (bytes.length < at || code > int16Code) throw bad(`has ${bytes.length} bytes and code ${code} for a block`);
  const channels = new TextDecoder().decode(bytes.subarray(16, 16 + length)).split("\n");
  const rate = view.getFloat64(headBytes, true);
  const raw = copyOf(bytes, at);
  const samples = raw.length / (code === int16Code ? 2 : 4) / channels.length;
  if (!Number.isInteger(samples) || !(rate > 0)) throw bad(`has ${raw.length} bytes of samples at ${rate} Hz`);
  const data =
    code === int16Code ? Float32Array.from(new Int16Array(raw.buffer), (value) => value / 32768) : floats(raw);
  return { kind: "block", channels, rate: hz(rate), data };
}

/** The samples as 16-bit integers if that loses nothing, as for sound from a 16-bit converter: half the size. */
function asInt16(data: Float32Array): Int16Array | undefined {
  const packed = new Int16Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = data[i]! * 32768;
    packed[i] = value;
    if (!Object.is(packed[i], value)) return undefined;
  }
  return packed;
}

/** A copy that owns its memory and starts at an address that every array type accepts. */
const copyOf = (bytes: Uint8Array, from: number): Uint8Array<ArrayBuffer> => new Uint8Array(bytes.subarray(from));

const floats = (raw: Uint8Array<ArrayBuffer>): Float32Array => new Float32Array(raw.buffer);

const bad = (what: string): SenseError =>
  new SenseError("BAD_RECORDING", `a message of the recording ${what}`, {
    hint: "It was not written by SenseBind, or by a newer version.",
  });
