import { SenseError } from "../../core/errors.js";
import { dataTypes } from "../../onnx/types.js";
import type { BytesFile } from "./bytes-file.js";
import type { StoredTensor } from "./checkpoint.js";
import { unpickle } from "./pickle.js";
import { checkExtent, stateDict, type TorchStorage, type TorchValue, torchAllowlist } from "./torch-objects.js";

/** torch.serialization.MAGIC_NUMBER, the first thing in the older format. */
export const legacyMagic = 0x1950a86a20f9469cfc6cn;

/** The pickles come first; a state dict's is far below this. */
const longestPickles = 64 * 2 ** 20;

/**
 * The tensors of a file that torch.save wrote before version 1.6: pickles of a magic number, a version, the machine, the
 * object and the storage keys, then each storage as its length and its numbers.
 */
export async function readTorchLegacy(file: BytesFile): Promise<ReadonlyMap<string, StoredTensor>> {
  const head = await file.read(0, Math.min(file.size, longestPickles));
  let at = 0;
  const next = (): TorchValue => {
    const { value, end } = unpickle(head, torchAllowlist, at);
    at = end;
    return value;
  };
  const [magic, version, machine] = [next(), next(), next()];
  if (magic !== legacyMagic || version !== 1001) {
    throw new SenseError(
      "BAD_CHECKPOINT",
      `${file.path} is no torch file: magic ${String(magic)}, version ${String(version)}`,
      { hint: "Give a .pth, .pt, .bin or .safetensors file with a state dict." },
    );
  }
  if (machine instanceof Map && machine.get("little_endian") === false) {
    throw new SenseError("BAD_CHECKPOINT", `${file.path} was written on a big-endian machine`, {
      hint: "Load it with PyTorch there and save it as .safetensors, which has one byte order.",
    });
  }
  const tensors = stateDict(next());
  const keys = next();
  if (!Array.isArray(keys)) throw new SenseError("BAD_CHECKPOINT", `${file.path} has no list of storages`);

  const storages = new Map<string, TorchStorage>();
  for (const { storage } of tensors.values()) storages.set(storage.key, storage);
  const places = new Map<string, { readonly offset: number; readonly count: number }>();
  for (const key of keys) {
    const used = typeof key === "string" ? storages.get(key) : undefined;
    if (typeof key !== "string" || used === undefined) {
      throw new SenseError("BAD_CHECKPOINT", `the storage ${String(key)} belongs to no tensor, so its type is unknown`);
    }
    const count = Number(new DataView((await file.read(at, 8)).buffer).getBigInt64(0, true));
    const { bytes } = dataTypes[used.type];
    if (!(count >= 0 && at + 8 + count * bytes <= file.size)) {
      const [name] = [...tensors].find(([, tensor]) => tensor.storage.key === key)!;
      throw new SenseError(
        "BAD_CHECKPOINT",
        `the storage of ${name} says it has ${count} numbers, the file ends before`,
        { hint: "The file is damaged or was not downloaded completely." },
      );
    }
    places.set(key, { offset: at + 8, count });
    at += 8 + count * bytes;
  }
  const stored = new Map<string, StoredTensor>();
  for (const [name, tensor] of tensors) {
    const { type, key } = tensor.storage;
    const place = places.get(key);
    if (place === undefined) {
      throw new SenseError("BAD_CHECKPOINT", `the storage ${key} of ${name} is not in the file`, {
        hint: "The file is damaged or was not downloaded completely.",
      });
    }
    checkExtent(name, tensor, place.count);
    const { dims, strides } = tensor;
    stored.set(name, { type, dims, strides, byteOffset: place.offset + tensor.offset * dataTypes[type].bytes });
  }
  return stored;
}
