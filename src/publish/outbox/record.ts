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
  readonly topic: string;
  readonly space: string;
  readonly id: string;
  readonly payload: Uint8Array;
}

/** Bytes that a record takes at most: UTF-8 has up to three for each UTF-16 unit. */
const mostOf = ({ topic, space, id, payload }: Body): number =>
  frame + fixed + 3 * (topic.length + space.length + id.length) + payload.length;

/** Writes records one after the other, into memory that it uses again: what it gives is good until the next call. */
export class RecordWriter {
  #bytes = Buffer.alloc(0);
  #end = 0;

  /** A snapshot of the open begins, where one is given, and letters. */
  write(letters: readonly Kept[], open?: Snapshot["open"]): Buffer {
    this.#end = 0;
    if (open !== undefined) this.#put(snapshotBody(open));
    for (const letter of letters) this.#put(bodyOf(letter));
    return this.#bytes.subarray(0, this.#end);
  }

  #put(body: Body): void {
    const most = this.#end + mostOf(body);
    if (most > this.#bytes.length) this.#grow(most);
    const start = this.#end + frame;
    const end = writeBody(this.#bytes, start, body);
    this.#bytes.writeUInt32LE(end - start, this.#end);
    this.#bytes.writeUInt32LE(crc32(this.#bytes.subarray(start, end)), this.#end + 4);
    this.#end = end;
  }

  #grow(size: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(size, 2 * this.#bytes.length));
    this.#bytes.copy(larger, 0, 0, this.#end);
    this.#bytes = larger;
  }
}

function bodyOf({ edge, retain, position, age, seq = -1, topic, space = "", payload }: Kept): Body {
  const flags = (retain ? flag.retain : 0) | (edge === undefined ? 0 : flag[edge.phase]);
  return { flags, position, age, seq, topic, space, id: edge?.id ?? "", payload };
}

function snapshotBody(open: Snapshot["open"]): Body {
  const entries = [...open].map(([id, payload]) => [id, Buffer.from(payload).toString("base64")]);
  const payload = Buffer.from(JSON.stringify(entries));
  return { flags: flag.snapshot, position: -1, age: 0, seq: -1, topic: "", space: "", id: "", payload };
}

/** Gives the offset after the body. */
function writeBody(
  bytes: Buffer,
  start: number,
  { flags, position, age, seq, topic, space, id, payload }: Body,
): number {
  bytes[start] = flags;
  bytes.writeDoubleLE(position, start + 1);
  bytes.writeDoubleLE(age, start + 9);
  bytes.writeDoubleLE(seq, start + 17);
  const at = start + fixed;
  const topicEnd = at + bytes.write(topic, at);
  const spaceEnd = topicEnd + (space === "" ? 0 : bytes.write(space, topicEnd));
  const idEnd = spaceEnd + (id === "" ? 0 : bytes.write(id, spaceEnd));
  bytes.writeUInt16LE(topicEnd - at, start + 25);
  bytes.writeUInt16LE(spaceEnd - topicEnd, start + 27);
  bytes.writeUInt16LE(idEnd - spaceEnd, start + 29);
  bytes.set(payload, idEnd);
  return idEnd + payload.length;
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
