import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";

/** A tensor to be saved: its numbers are asked for when its turn comes. */
export interface SavedTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly data: () => Float32Array;
}

const encoder = new TextEncoder();
const u16 = (value: number): number[] => [value & 255, (value >>> 8) & 255];
const u32 = (value: number): number[] => [...u16(value & 0xffff), ...u16(value >>> 16)];
const u64 = (value: number): number[] => [...u32(value % 2 ** 32), ...u32(Math.floor(value / 2 ** 32))];

const text = (value: string): number[] => {
  const bytes = encoder.encode(value);
  return [0x58, ...u32(bytes.length), ...bytes];
};
const int = (value: number): number[] => {
  if (value < 256) return [0x4b, value];
  if (value < 65536) return [0x4d, ...u16(value)];
  return value < 2 ** 31 ? [0x4a, ...u32(value)] : [0x8a, 8, ...u64(value)];
};
const global = (module: string, name: string): number[] => [0x63, ...encoder.encode(`${module}\n${name}\n`)];
const tuple = (items: readonly number[][]): number[] => [0x28, ...items.flat(), 0x74];

/** Steps of a dense tensor. */
const denseStrides = (dims: readonly number[]): number[] =>
  dims.map((_, i) => dims.slice(i + 1).reduce((product, dim) => product * dim, 1));

export interface View {
  /** First element within the storage. */
  readonly offset?: number;
  readonly strides?: readonly number[];
  /** `HalfStorage`, `LongStorage` ... */
  readonly storage?: string;
  /** The older file format has a sixth item in a storage's id. */
  readonly legacy?: boolean;
}

/** torch._utils._rebuild_tensor_v2((storage), offset, size, stride, False, OrderedDict()) as pickle instructions. */
export function pickledTensor(key: string, dims: readonly number[], length: number, view: View = {}): number[] {
  const { offset = 0, strides = denseStrides(dims), storage = "FloatStorage", legacy = false } = view;
  const id = [
    text("storage"),
    global("torch", storage),
    text(key),
    text("cpu"),
    int(length),
    ...(legacy ? [[0x4e]] : []),
  ];
  const sizes = [tuple(dims.map(int)), tuple(strides.map(int))];
  const hooks = [...global("collections", "OrderedDict"), 0x29, 0x52];
  const args = [[...tuple(id), 0x51], int(offset), ...sizes, [0x89], hooks];
  return [...global("torch._utils", "_rebuild_tensor_v2"), ...tuple(args), 0x52];
}

/** A pickle (protocol 2) of a dict of names and values that are pickled already. */
export function pickledDict(entries: readonly (readonly [string, number[]])[]): Uint8Array {
  const items = entries.flatMap(([name, value]) => [...text(name), ...value]);
  return Uint8Array.from([0x80, 2, ...global("collections", "OrderedDict"), 0x29, 0x52, 0x28, ...items, 0x75, 0x2e]);
}

/** Writes a zip archive of stored entries as torch.save does: data at multiples of 64 bytes, zip64 where it is needed. */
export class TorchZipWriter implements AsyncDisposable {
  readonly #file: FileHandle;
  readonly #directory: number[][] = [];
  #at = 0;

  private constructor(file: FileHandle) {
    this.#file = file;
  }

  static async create(path: string): Promise<TorchZipWriter> {
    return new TorchZipWriter(await open(path, "w"));
  }

  async add(name: string, data: Uint8Array): Promise<void> {
    const bytes = encoder.encode(name);
    const crc = crc32(data);
    const header = this.#at;
    // The extra field "FB" is how torch pads to 64 bytes.
    const pad = (64 - ((header + 30 + bytes.length + 4) % 64)) % 64;
    const common = [...u16(0), ...u16(0), ...u16(0), ...u16(0), ...u32(crc), ...u32(data.length), ...u32(data.length)];
    const local = [0x50, 0x4b, 3, 4, ...u16(45), ...common, ...u16(bytes.length), ...u16(pad + 4), ...bytes];
    await this.#write(Uint8Array.from([...local, 0x46, 0x42, ...u16(pad), ...new Array<number>(pad).fill(0x5a)]));
    await this.#write(data);
    const isFar = header >= 0xffffffff;
    const extra = isFar ? [...u16(1), ...u16(8), ...u64(header)] : [];
    const names = [...u16(bytes.length), ...u16(extra.length), ...u16(0), ...u16(0), ...u16(0), ...u32(0)];
    const position = u32(isFar ? 0xffffffff : header);
    this.#directory.push([
      0x50,
      0x4b,
      1,
      2,
      ...u16(45),
      ...u16(45),
      ...common,
      ...names,
      ...position,
      ...bytes,
      ...extra,
    ]);
  }

  /** Writes the directory; the archive is complete then. */
  async finish(): Promise<void> {
    const start = this.#at;
    const directory = Uint8Array.from(this.#directory.flat());
    await this.#write(directory);
    const count = this.#directory.length;
    const wide = this.#at;
    const sizes = [...u64(count), ...u64(count), ...u64(directory.length), ...u64(start)];
    const zip64 = [0x50, 0x4b, 6, 6, ...u64(44), ...u16(45), ...u16(45), ...u32(0), ...u32(0), ...sizes];
    const locator = [0x50, 0x4b, 6, 7, ...u32(0), ...u64(wide), ...u32(1)];
    const end = [
      0x50,
      0x4b,
      5,
      6,
      ...u16(0),
      ...u16(0),
      ...u16(0xffff),
      ...u16(0xffff),
      ...u32(0xffffffff),
      ...u32(0xffffffff),
    ];
    await this.#write(Uint8Array.from([...zip64, ...locator, ...end, ...u16(0)]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      done += (await this.#file.write(bytes, done, bytes.length - done, this.#at + done)).bytesWritten;
    }
    this.#at += bytes.length;
  }
}

/** Writes a state dict in torch's zip format, one tensor at a time. */
export async function saveTorch(path: string, tensors: readonly SavedTensor[]): Promise<void> {
  const sizeOf = (dims: readonly number[]): number => dims.reduce((product, dim) => product * dim, 1);
  const entries = tensors.map(({ name, dims }, i) => [name, pickledTensor(String(i), dims, sizeOf(dims))] as const);
  await using zip = await TorchZipWriter.create(path);
  await zip.add("archive/data.pkl", pickledDict(entries));
  await zip.add("archive/byteorder", encoder.encode("little"));
  for (const [i, { data }] of tensors.entries()) {
    const numbers = data();
    await zip.add(`archive/data/${i}`, new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength));
  }
  await zip.add("archive/version", encoder.encode("3\n"));
  await zip.finish();
}
