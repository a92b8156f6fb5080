import type { ByteReader } from "../byte-reader.js";

/** IVF, a container of nothing but sizes and timestamps, which ffmpeg reads from a pipe (wiki.multimedia.cx, Duck IVF). */

const fileHead = 32;
const frameHead = 12;

/** The head of a file of H.264 access units; its timestamps are integers of whatever they are. */
export function ivfHead(): Uint8Array {
  const head = Buffer.alloc(fileHead);
  head.write("DKIF", 0, "latin1");
  head.writeUInt16LE(fileHead, 6);
  head.write("H264", 8, "latin1");
  // Time base: rate, then scale.
  head.writeUInt32LE(1_000_000, 16);
  head.writeUInt32LE(1, 20);
  return head;
}

export function ivfFrame(stamp: number, data: Uint8Array): Uint8Array {
  const head = Buffer.alloc(frameHead);
  head.writeUInt32LE(data.length, 0);
  head.writeBigUInt64LE(BigInt(stamp), 4);
  return Buffer.concat([head, data]);
}

/** The frames of such a stream, until its end. */
export async function* readIvf(
  bytes: ByteReader,
): AsyncGenerator<{ readonly stamp: number; readonly data: Uint8Array }> {
  if (!(await bytes.take(fileHead))) return;
  for (;;) {
    const head = await bytes.take(frameHead);
    if (!head) return;
    const view = new DataView(head.buffer);
    const data = await bytes.take(view.getUint32(0, true));
    if (!data) return;
    yield { stamp: Number(view.getBigUint64(4, true)), data };
  }
}
