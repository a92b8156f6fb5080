import { SenseError } from "../../core/errors.js";
import { sizeOf } from "../../core/tensor.js";
import type { DataType } from "../../onnx/types.js";
import { spanOf } from "./checkpoint.js";
import { type Allowlist, Global, type Pickled } from "./pickle.js";

const storageTypes: Readonly<Record<string, DataType>> = {
  "torch.FloatStorage": "float32",
  "torch.HalfStorage": "float16",
  "torch.BFloat16Storage": "bfloat16",
  "torch.DoubleStorage": "float64",
  "torch.LongStorage": "int64",
  "torch.IntStorage": "int32",
  "torch.ShortStorage": "int16",
  "torch.CharStorage": "int8",
  "torch.ByteStorage": "uint8",
  "torch.BoolStorage": "bool",
};

/** A block of numbers of one type, by its key in the file. */
export class TorchStorage {
  constructor(
    readonly type: DataType,
    readonly key: string,
    /** Declared number of elements. */
    readonly length: number,
    /** First element of a view into the block (the older file format has views). */
    readonly offset = 0,
  ) {}
}

/** A tensor as a view of a storage; offsets and strides in elements. */
export class TorchTensor {
  constructor(
    readonly storage: TorchStorage,
    readonly offset: number,
    readonly dims: readonly number[],
    readonly strides: readonly number[],
  ) {}
}

export type TorchObject = TorchStorage | TorchTensor;
export type TorchValue = Pickled<TorchObject>;

const refuse = (why: string): never => {
  throw new SenseError("BAD_CHECKPOINT", why);
};

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value >= 0;

const counts = (value: TorchValue | undefined, key: string): number[] =>
  Array.isArray(value) && value.every(isCount)
    ? value
    : refuse(`${key}: a tensor whose shape is not a list of lengths`);

/** torch._utils._rebuild_tensor_v2(storage, storage_offset, size, stride, ...) */
function rebuild([storage, offset, size, stride]: readonly TorchValue[], key: string): TorchTensor {
  if (!(storage instanceof TorchStorage) || !isCount(offset)) return refuse(`${key}: a tensor without a storage`);
  const [dims, strides] = [counts(size, key), counts(stride, key)];
  if (dims.length !== strides.length) refuse(`${key}: a tensor with another number of strides than axes`);
  return new TorchTensor(storage, offset + storage.offset, dims, strides);
}

function parameter([data]: readonly TorchValue[], key: string): TorchTensor {
  return data instanceof TorchTensor ? data : refuse(`${key}: a parameter that is no tensor`);
}

/** ("storage", type, key, location, length[, view]) */
function storage(id: TorchValue, name: string): TorchStorage {
  const [kind, type, key, , length, view] = Array.isArray(id) ? id : [];
  const element = type instanceof Global ? storageTypes[type.name] : undefined;
  if (kind !== "storage" || element === undefined || typeof key !== "string" || !isCount(length)) {
    return refuse(`${name}: a storage of an unknown form`);
  }
  if (!Array.isArray(view)) return new TorchStorage(element, key, length);
  const [, offset] = view;
  return isCount(offset)
    ? new TorchStorage(element, key, length, offset)
    : refuse(`${name}: a storage with a broken view`);
}

const calls: Readonly<Record<string, (args: readonly TorchValue[], key: string) => TorchValue>> = {
  "collections.OrderedDict": (args) => {
    const [items] = args;
    if (items === undefined) return new Map();
    if (!Array.isArray(items)) return refuse("the pickle makes a dict of something else");
    return new Map(items.map((item) => (Array.isArray(item) ? [item[0]!, item[1]!] : refuse("broken item of a dict"))));
  },
  "torch._utils._rebuild_tensor": rebuild,
  "torch._utils._rebuild_tensor_v2": rebuild,
  "torch._utils._rebuild_parameter": parameter,
  "torch._utils._rebuild_parameter_with_state": parameter,
  "torch.Size": ([dims]) => dims ?? [],
};

/** The only names a checkpoint may use: dicts, tensors, parameters and the typed storages. */
export const torchAllowlist: Allowlist<TorchObject> = {
  knows: (name) => Object.hasOwn(calls, name) || Object.hasOwn(storageTypes, name),
  call: (name, args, key) =>
    Object.hasOwn(calls, name) ? calls[name]!(args, key) : refuse(`${key}: the pickle calls ${name}`),
  persistent: storage,
};

/** Throws `BAD_CHECKPOINT` with the tensor's name if it reaches beyond its storage or pretends to be larger than it. */
export function checkExtent(name: string, { storage, offset, dims, strides }: TorchTensor, stored: number): void {
  const last = offset + spanOf(dims, strides);
  const available = Math.min(stored, storage.offset + storage.length);
  if (last > available || sizeOf(dims) > available) {
    throw new SenseError(
      "BAD_CHECKPOINT",
      `${name} of shape [${dims.join(", ")}] needs ${Math.max(last, sizeOf(dims))} ${storage.type} numbers, its storage has ${available}`,
      { hint: "the file is damaged or was made to look larger than it is" },
    );
  }
}

const containers = ["state_dict", "model", "model_state_dict", "module", "ema", "model_ema", "net", "params"];

/**
 * The tensors of a checkpoint by name: the dict itself, or the larger one inside it under one of the usual names. Throws
 * `BAD_CHECKPOINT` where there is none.
 */
export function stateDict(root: TorchValue): Map<string, TorchTensor> {
  const tensorsOf = (value: TorchValue | undefined): Map<string, TorchTensor> => {
    const found = new Map<string, TorchTensor>();
    for (const [key, item] of value instanceof Map ? value : []) {
      if (typeof key === "string" && item instanceof TorchTensor) found.set(key, item);
    }
    return found;
  };
  const inner = root instanceof Map ? containers.map((key) => root.get(key)) : [];
  const candidates = [root, ...inner].map(tensorsOf).sort((a, b) => b.size - a.size);
  const [largest] = candidates;
  return largest !== undefined && largest.size > 0 ? largest : refuse("the checkpoint holds no dict of tensors");
}
