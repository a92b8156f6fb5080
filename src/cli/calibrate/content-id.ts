import { createHash, type Hash } from "node:crypto";
import type { Modality } from "../../core/modality.js";
import type { Bundle } from "../../encoder/bundle.js";
import { towerFiles } from "../../encoder/manifest-file.js";
import type { Cut } from "../../window/cut.js";

/** All that a vector of one encoder depends on beside its input: the hashes of its files, how its input is made, the space. */
export function encoderKey(bundle: Bundle, modality: Modality): Uint8Array {
  const { manifest, space } = bundle;
  const tower = bundle.tower(modality);
  const hashes = towerFiles(manifest, tower).map((file) => [file, manifest.files[file]!.sha256]);
  return createHash("sha256").update(JSON.stringify({ space, tower, hashes })).digest();
}

/** Of a window's content, wherever and whenever it was recorded; 16 bytes in hexadecimal. */
export function idOfCut(cut: Cut): string {
  const hash = createHash("sha256");
  if (cut.kind === "block") {
    const { channels, rate, data } = cut;
    hash.update(JSON.stringify({ channels, rate }));
    return short(hash.update(bytesOf(data)));
  }
  // When a frame was taken counts beside others of a clip only: the same picture alone always lies at the same place.
  const isClip = cut.frames.length > 1;
  for (const { time, data, ...form } of cut.frames) {
    hash.update(JSON.stringify({ ...form, bytes: data.byteLength, ...(isClip && { at: time - cut.to }) }));
    hash.update(bytesOf(data));
  }
  return short(hash);
}

/** Of a file's bytes, or of words. */
export const idOfBytes = (bytes: Uint8Array | string): string => short(createHash("sha256").update(bytes));

const short = (hash: Hash): string => hash.digest("hex").slice(0, 32);

const bytesOf = (data: {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
}) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
