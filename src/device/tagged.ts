import type { Readable } from "node:stream";
import { SenseError } from "../core/errors.js";
import { ByteReader } from "./byte-reader.js";

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
