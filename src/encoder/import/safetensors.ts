import * as z from "zod";
import { SenseError } from "../../core/errors.js";
import { sizeOf } from "../../core/tensor.js";
import { type DataType, dataTypes } from "../../onnx/types.js";
import type { BytesFile } from "./bytes-file.js";
import { denseStrides, type StoredTensor } from "./checkpoint.js";

const types: Readonly<Record<string, DataType>> = {
  F64: "float64",
  F32: "float32",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  I16: "int16",
  I8: "int8",
  U8: "uint8",
  BOOL: "bool",
};

const count = z.int().nonnegative();
const Entry = z.object({ dtype: z.string(), shape: z.array(count), data_offsets: z.tuple([count, count]) });

/** The format's own limit for the header, in bytes. */
const longestHeader = 100_000_000;

const refuse = (why: string, cause?: unknown): never => {
  throw new SenseError("BAD_CHECKPOINT", why, { hint: "the file is damaged or was not downloaded completely", cause });
};

function parse(path: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    return z.record(z.string(), z.unknown()).parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch (cause) {
    return refuse(`${path} has a header that is not safetensors JSON`, cause);
  }
}

/** The tensors of a safetensors file: a length, a JSON header, then the numbers. Throws `BAD_CHECKPOINT`. */
export async function readSafetensors(file: BytesFile): Promise<ReadonlyMap<string, StoredTensor>> {
  const length = Number(new DataView((await file.read(0, 8)).buffer).getBigUint64(0, true));
  if (length > longestHeader || length + 8 > file.size) refuse(`${file.path} says its header has ${length} bytes`);
  const header = parse(file.path, await file.read(8, length));
  const tensors = new Map<string, StoredTensor>();
  const ranges: { name: string; begin: number; end: number }[] = [];
  for (const [name, raw] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const { success, data } = Entry.safeParse(raw);
    if (!success) return refuse(`${name} has no type, shape and offsets`);
    const type = types[data.dtype];
    if (type === undefined) return refuse(`${name} has type ${data.dtype}, which is not read`);
    const [begin, end] = data.data_offsets;
    const needed = sizeOf(data.shape) * dataTypes[type].bytes;
    if (end - begin !== needed || 8 + length + end > file.size) {
      refuse(
        `${name} of shape [${data.shape.join(", ")}] needs ${needed} bytes; its header gives it ${end - begin}, ` +
          `and the file has ${Math.max(0, file.size - 8 - length - begin)} there`,
      );
    }
    ranges.push({ name, begin, end });
    const strides = denseStrides(data.shape);
    tensors.set(name, { type, dims: data.shape, strides, byteOffset: 8 + length + begin });
  }
  ranges.sort((a, b) => a.begin - b.begin || a.end - b.end);
  for (const [i, { name, begin }] of ranges.entries()) {
    const before = ranges[i - 1];
    if (before !== undefined && begin < before.end) refuse(`${name} overlaps ${before.name}`);
  }
  if (tensors.size === 0) refuse(`${file.path} holds no tensor`);
  return tensors;
}
