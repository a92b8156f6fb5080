import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { isSenseError, SenseError } from "../../core/errors.js";
import { decodeNpy } from "../../core/npy.js";
import type { Tensor } from "../../core/tensor.js";
import { readBytes } from "./bytes.js";

const inflate = promisify(gunzip);

/** A gzipped array may not unpack to more than this: 1 GiB. */
const largest = 2 ** 30;

/** The array in a `.npy` or `.npy.gz` file. Throws `BAD_TENSOR`, `FILE_UNREADABLE`. */
export async function readNpy(path: string): Promise<Tensor> {
  const bytes = await readBytes(path);
  const packed = bytes[0] === 0x1f && bytes[1] === 0x8b;
  try {
    return decodeNpy(packed ? new Uint8Array(await inflate(bytes, { maxOutputLength: largest })) : bytes);
  } catch (cause) {
    const hint = isSenseError(cause) && cause.hint !== undefined ? cause.hint : "Write it with numpy.save.";
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SenseError("BAD_TENSOR", `${path} cannot be used: ${why}`, { hint, cause });
  }
}
