import { seeded } from "../../core/random.js";
import { encodeFrame, type FrameContent } from "./frame.js";
import type { Field, FirmwareSchema } from "./schema.js";

/** A frame and its bytes, for the one who writes an encoder or decoder in another language. */
export interface GoldenFrame {
  readonly seq: number;
  readonly t_us: number;
  readonly fields: Readonly<Record<string, readonly number[]>>;
  /** Everything on the wire, the final zero included. */
  readonly hex: string;
}

const ranges = { u8: [0, 255], i8: [-128, 127], u16: [0, 65535], i16: [-32768, 32767] } as const;
const wide = { u32: [0, 2 ** 32 - 1], i32: [-(2 ** 31), 2 ** 31 - 1] } as const;

/** Frames that try an encoder: all zeros (stuffing), the extremes, and random values. */
export function goldenFrames(schema: FirmwareSchema, { random = 1, seed = schema.number + 1 } = {}): GoldenFrame[] {
  const next = seeded(seed);
  const fill = (value: (field: Field, i: number) => number): FrameContent["fields"] =>
    Object.fromEntries(
      schema.fields.map((field) => [field.name, Array.from({ length: field.count }, (_, i) => value(field, i))]),
    );
  const bound = (type: Field["type"], side: 0 | 1): number =>
    type === "f32" ? (side === 0 ? -1.5 : Math.fround(3.4e38)) : { ...ranges, ...wide }[type][side];
  const any = ({ type }: Field): number => {
    const [low, high] = [bound(type, 0), bound(type, 1)];
    return type === "f32" ? Math.fround(next() * 200 - 100) : low + Math.floor(next() * (high - low + 1));
  };
  const contents: FrameContent[] = [
    { seq: 0, time: 0, fields: fill(() => 0) },
    { seq: 0xffff, time: 0xffffffff, fields: fill(({ type }, i) => bound(type, i % 2 === 0 ? 1 : 0)) },
    ...Array.from({ length: random }, (_, i) => ({ seq: 257 + i, time: 123_456_789 + i * 10_000, fields: fill(any) })),
  ];
  return contents.map((content) => {
    const hex = Array.from(encodeFrame(schema, content), (byte) => byte.toString(16).padStart(2, "0")).join("");
    return { seq: content.seq, t_us: content.time, fields: content.fields, hex };
  });
}

/** The document that `firmware golden` prints and that lies beside each schema: one frame a line. */
export function goldenDocument(schema: FirmwareSchema): string {
  const frames = goldenFrames(schema).map((frame) => JSON.stringify(frame));
  return `{"schema":${JSON.stringify(schema.id)},"frames":[\n${frames.join(",\n")}\n]}\n`;
}
