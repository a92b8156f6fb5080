import { crc32 } from "node:zlib";
import type { Lane, Stored } from "./letter.js";

/** A record on disk: `u32 length, u32 crc32, body`; a body that does not match its checksum was never written whole. */
const frame = 8;
/** Body: `u8 flags, f64 position, f64 age, f64 seq, u16 topic, u16 space, u16 id`, then those texts and the payload. */
const fixed = 31;

const flag = { retain: 1, begin: 2, end: 4, snapshot: 8 } as const;

/** A letter and how long the node had been running when it was appended, in ms. */
export interface Kept extends Stored {
  readonly age: number;
}

/** Written first in each segment of the lane of edges: the begins that had no end yet. */
export interface Snapshot {
  readonly open: ReadonlyMap<string, Uint8Array>;
}

export type Record =
  | { readonly kind: "letter"; readonly letter: Kept }
  | { readonly kind: "snapshot"; readonly snapshot: Snapshot };

interface Body {
  readonly flags: number;
  readonly position: number;
  readonly age: number;
  readonly seq: number;
  readonly texts: readonly [topic: string, space: string, id: string];
  readonly payload: Uint8Array;
}

/** Letters as records, one after the other. */
export function encodeLetters(letters: readonly Kept[]): Buffer {
  return encode(
    letters.map(({ edge, retain, position, age, seq = -1, topic, space = "", payload }) => ({
      flags: (retain ? flag.retain : 0) | (edge === undefined ? 0 : flag[edge.phase]),
      position,
      age,
      seq,
      texts: [topic, space, edge?.id ?? ""],
      payload,
    })),
  );
}

export function encodeSnapshot({ open }: Snapshot): Buffer {
  const entries = [...open].map(([id, payload]) => [id, Buffer.from(payload).toString("base64")]);
  const payload = Buffer.from(JSON.stringify(entries));
  return encode([{ flags: flag.snapshot, position: -1, age: 0, seq: -1, texts: ["", "", ""], payload }]);
}

function encode(bodies: readonly Body[]): Buffer {
  const sizes = bodies.map(({ texts: [topic, space, id], payload }) => {
    return fixed + Buffer.byteLength(topic) + Buffer.byteLength(space) + Buffer.byteLength(id) + payload.length;
  });
  const bytes = Buffer.allocUnsafe(sizes.reduce((sum, size) => sum + frame + size, 0));
  let start = 0;
  for (const [i, body] of bodies.entries()) {
    const end = start + frame + sizes[i]!;
    writeBody(bytes, start + frame, body);
    bytes.writeUInt32LE(sizes[i]!, start);
    bytes.writeUInt32LE(crc32(bytes.subarray(start + frame, end)), start + 4);
    start = end;
  }
  return bytes;
}

function writeBody(bytes: Buffer, start: number, { flags, position, age, seq, texts, payload }: Body): void {
  bytes.writeUInt8(flags, start);
  bytes.writeDoubleLE(position, start + 1);
  bytes.writeDoubleLE(age, start + 9);
  bytes.writeDoubleLE(seq, start + 17);
  let at = start + fixed;
  for (let i = 0; i < 3; i++) {
    const length = bytes.write(texts[i]!, at);
    bytes.writeUInt16LE(length, start + 25 + 2 * i);
    at += length;
  }
  bytes.set(payload, at);
}

/** A whole record and the offset after it; undefined where the bytes hold no whole, undamaged record. */
export function decodeRecord(bytes: Buffer, offset: number, lane: Lane): { record: Record; end: number } | undefined {
  if (bytes.length - offset < frame + fixed) return undefined;
  const length = bytes.readUInt32LE(offset);
  const end = offset + frame + length;
  if (length < fixed || end > bytes.length) return undefined;
  const body = bytes.subarray(offset + frame, end);
  if (crc32(body) !== bytes.readUInt32LE(offset + 4)) return undefined;
  const texts: string[] = [];
  let at = fixed;
  for (let i = 0; i < 3; i++) {
    const size = body.readUInt16LE(25 + 2 * i);
    texts.push(body.toString("utf8", at, at + size));
    at += size;
  }
  const [topic, space, id] = texts as [string, string, string];
  const flags = body.readUInt8(0);
  const payload = body.subarray(at);
  if (flags & flag.snapshot) return { record: { kind: "snapshot", snapshot: snapshotOf(payload) }, end };
  const seq = body.readDoubleLE(17);
  const phase = flags & flag.begin ? "begin" : flags & flag.end ? "end" : undefined;
  const letter: Kept = {
    lane,
    topic,
    payload,
    position: body.readDoubleLE(1),
    age: body.readDoubleLE(9),
    retain: (flags & flag.retain) !== 0,
    ...(seq < 0 ? {} : { seq }),
    ...(space === "" ? {} : { space }),
    ...(phase === undefined ? {} : { edge: { id, phase } }),
  };
  return { record: { kind: "letter", letter }, end };
}

function snapshotOf(payload: Buffer): Snapshot {
  const entries = JSON.parse(payload.toString()) as [string, string][];
  return { open: new Map(entries.map(([id, text]) => [id, Buffer.from(text, "base64")])) };
}
