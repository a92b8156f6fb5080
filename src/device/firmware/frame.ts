import { crc16Ccitt } from "../crc16.js";
import { cobsDecode, cobsEncode } from "./cobs.js";
import { crcBytes, type Field, type FirmwareSchema, frameBytes, headBytes, typeBytes } from "./schema.js";

/** What a frame carries beside its schema. */
export interface FrameContent {
  /** 16 bits, wraps. */
  readonly seq: number;
  /** The device's microseconds, 32 bits, wraps. */
  readonly time: number;
  /** Raw values by field. */
  readonly fields: Readonly<Record<string, readonly number[]>>;
}

const read: Record<Field["type"], (view: DataView, at: number) => number> = {
  u8: (view, at) => view.getUint8(at),
  i8: (view, at) => view.getInt8(at),
  u16: (view, at) => view.getUint16(at, true),
  i16: (view, at) => view.getInt16(at, true),
  u32: (view, at) => view.getUint32(at, true),
  i32: (view, at) => view.getInt32(at, true),
  f32: (view, at) => view.getFloat32(at, true),
};
const write: Record<Field["type"], (view: DataView, at: number, value: number) => void> = {
  u8: (view, at, value) => view.setUint8(at, value),
  i8: (view, at, value) => view.setInt8(at, value),
  u16: (view, at, value) => view.setUint16(at, value, true),
  i16: (view, at, value) => view.setInt16(at, value, true),
  u32: (view, at, value) => view.setUint32(at, value, true),
  i32: (view, at, value) => view.setInt32(at, value, true),
  f32: (view, at, value) => view.setFloat32(at, value, true),
};

/** The bytes on the wire: stuffed, with the zero at the end. */
export function encodeFrame(schema: FirmwareSchema, { seq, time, fields }: FrameContent): Uint8Array {
  const frame = new Uint8Array(frameBytes(schema));
  const view = new DataView(frame.buffer);
  frame.set([schema.number, schema.version]);
  view.setUint16(2, seq, true);
  view.setUint32(4, time, true);
  let at = headBytes;
  for (const { name, type, count } of schema.fields) {
    for (let i = 0; i < count; i++, at += typeBytes[type]) write[type](view, at, fields[name]?.[i] ?? 0);
  }
  view.setUint16(at, crc16Ccitt(frame, 0, at), true);
  return cobsEncode(frame);
}

/** The content of a stuffed stretch without its zero; undefined where it is no intact frame of the schema. */
export function decodeFrame(schema: FirmwareSchema, stuffed: Uint8Array): FrameContent | undefined {
  const frame = cobsDecode(stuffed);
  if (!frame || frame.length !== frameBytes(schema)) return undefined;
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  const end = frame.length - crcBytes;
  if (frame[0] !== schema.number || frame[1] !== schema.version) return undefined;
  if (view.getUint16(end, true) !== crc16Ccitt(frame, 0, end)) return undefined;
  const fields: Record<string, number[]> = {};
  let at = headBytes;
  for (const { name, type, count } of schema.fields) {
    const values = new Array<number>(count);
    for (let i = 0; i < count; i++, at += typeBytes[type]) values[i] = read[type](view, at);
    fields[name] = values;
  }
  return { seq: view.getUint16(2, true), time: view.getUint32(4, true), fields };
}
