import { writeFile } from "node:fs/promises";
import type { SavedTensor } from "../../../models/build/torch-file.js";

const encoder = new TextEncoder();
const bytes = (data: ArrayBufferView) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** The older format of torch: pickles one after another, then each storage as its length and its numbers. */
export async function saveLegacy(
  path: string,
  dict: Uint8Array,
  storages: Readonly<Record<string, Float32Array>>,
): Promise<string> {
  const magic = [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];
  const version = [0x80, 2, 0x4d, 0xe9, 3, 0x2e];
  const machine = [0x80, 2, 0x7d, 0x2e];
  const names = Object.keys(storages).flatMap((key) => [0x58, key.length, 0, 0, 0, ...encoder.encode(key)]);
  const keys = [0x80, 2, 0x5d, 0x28, ...names, 0x65, 0x2e];
  const blocks = Object.values(storages).flatMap((data) => [bytes(BigInt64Array.of(BigInt(data.length))), bytes(data)]);
  const parts = [magic, version, machine].map((part) => Uint8Array.from(part));
  await writeFile(path, Buffer.concat([...parts, dict, Uint8Array.from(keys), ...blocks]));
  return path;
}

/** A safetensors file: the header's length, the header, the numbers. */
export async function saveSafetensors(path: string, tensors: readonly SavedTensor[]): Promise<void> {
  const blocks = tensors.map(({ data }) => bytes(data()));
  let at = 0;
  const entries = tensors.map(({ name, dims }, i) => {
    const begin = at;
    at += blocks[i]!.length;
    return [name, { dtype: "F32", shape: dims, data_offsets: [begin, at] }];
  });
  const header = encoder.encode(JSON.stringify(Object.fromEntries(entries)));
  await writeFile(path, Buffer.concat([bytes(BigInt64Array.of(BigInt(header.length))), header, ...blocks]));
}
