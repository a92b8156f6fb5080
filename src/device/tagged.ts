import type { Readable } from "node:stream";
import { SenseError } from "../core/errors.js";

/** What a line says of the next piece of data. */
export interface Tag {
  readonly bytes: number;
  /** Media time in microseconds, if it has one. */
  readonly time: number | undefined;
}

export interface Tagged {
  readonly tag: Tag;
  /** Owned by the receiver. */
  readonly data: Uint8Array<ArrayBuffer>;
}

/** A frame of more than this is taken for damage: 256 MiB. */
const largest = 2 ** 28;

/**
 * Pairs lines that announce a piece of data each (`parse` gives the tag, or undefined for other lines) with the bytes that
 * arrive on a second stream. This is how frames keep their timestamps on the way from another program.
 */
export async function* taggedData(
  { lines, data }: { lines: Readable; data: Readable },
  parse: (line: string) => Tag | undefined,
): AsyncGenerator<Tagged> {
  const bytes = new ByteReader(data);
  let rest = "";
  lines.setEncoding("utf8");
  for await (const text of lines as AsyncIterable<string>) {
    const parts = (rest + text).split("\n");
    rest = parts.pop()!;
    for (const line of parts) {
      const tag = parse(line);
      if (!tag) continue;
      if (!(tag.bytes <= largest)) throw new SenseError("DEVICE_FAILED", `a frame of ${tag.bytes} bytes was announced`);
      const piece = await bytes.take(tag.bytes);
      if (!piece) return;
      yield { tag, data: piece };
    }
  }
}

/** Takes pieces of known length off a stream. */
class ByteReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #chunk: Uint8Array = new Uint8Array();

  constructor(stream: Readable) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** A copy of the next `length` bytes; undefined if the stream ends before. */
  async take(length: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const out = new Uint8Array(length);
    for (let filled = 0; filled < length; ) {
      if (this.#chunk.length === 0) {
        const { value, done } = await this.#chunks.next();
        if (done) return undefined;
        this.#chunk = value;
      }
      const part = this.#chunk.subarray(0, length - filled);
      out.set(part, filled);
      filled += part.length;
      this.#chunk = this.#chunk.subarray(part.length);
    }
    return out;
  }
}
