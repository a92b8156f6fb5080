import { SenseError } from "./errors.js";
import { sizeOf, type Tensor, type TensorData, tensor } from "./tensor.js";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** Element types by numpy's name: bytes of one element, and the array that a copy of them becomes. */
const types: Readonly<Record<string, readonly [bytes: number, read: (bytes: ArrayBuffer) => TensorData]>> = {
  "<f4": [4, (bytes) => new Float32Array(bytes)],
  "<f8": [8, (bytes) => Float32Array.from(new Float64Array(bytes))],
  "<i8": [8, (bytes) => new BigInt64Array(bytes)],
  "<i4": [4, (bytes) => new Int32Array(bytes)],
  "<i2": [2, (bytes) => new Int16Array(bytes)],
  "<u2": [2, (bytes) => new Uint16Array(bytes)],
  "|u1": [1, (bytes) => new Uint8Array(bytes)],
  "|i1": [1, (bytes) => new Int8Array(bytes)],
};

/** Reads a .npy file: C order, little-endian; float64, which numpy writes unless told otherwise, becomes float32. Throws `BAD_TENSOR`. */
export function decodeNpy(bytes: Uint8Array): Tensor {
  const { header, offset } = readHeader(bytes);
  const descr = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  const shape = /'shape'\s*:\s*\(([^)]*)\)/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  if (descr === undefined || shape === undefined || order === undefined) throw bad(`has no usable header: ${header}`);
  if (order === "True") throw bad("is in Fortran order", "Save it with numpy.save(path, numpy.ascontiguousarray(x)).");
  const type = types[descr];
  if (!type) {
    throw bad(`holds ${descr}, which is none of ${Object.keys(types).join(" ")}`, "Save x.astype(numpy.float32).");
  }
  const dims = parseShape(shape);
  const length = sizeOf(dims) * type[0];
  if (bytes.length - offset !== length) {
    throw bad(
      `of shape [${dims.join(", ")}] and type ${descr} needs ${length} bytes of data, has ${bytes.length - offset}`,
    );
  }
  // A copy, because data in the file need not be aligned, and slice() of a Node Buffer makes none.
  return { dims, data: type[1](new Uint8Array(bytes.subarray(offset)).buffer) };
}

/** Writes a .npy file, format 1.0, as numpy.load reads it. */
export function encodeNpy({ dims, data }: Tensor): Uint8Array {
  tensor(dims, data);
  const shape = dims.length === 1 ? `${dims[0]},` : dims.join(", ");
  const body = `{'descr': '${typeOf(data)}', 'fortran_order': False, 'shape': (${shape}), }`;
  // The header ends in a newline and fills a multiple of 64 bytes, so that the data can be mapped.
  const header = `${body.padEnd(Math.ceil((body.length + 11) / 64) * 64 - 11)}\n`;
  const out = new Uint8Array(10 + header.length + data.byteLength);
  out.set([...MAGIC, 1, 0, header.length & 255, header.length >> 8]);
  for (let i = 0; i < header.length; i++) out[10 + i] = header.charCodeAt(i);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return out;
}

function readHeader(bytes: Uint8Array): { header: string; offset: number } {
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte)) throw bad("does not begin as one does");
  const wide = bytes[6]! >= 2;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = wide ? 12 : 10;
  const length = wide ? view.getUint32(8, true) : view.getUint16(8, true);
  if (bytes[6]! > 3 || bytes[6]! < 1 || start + length > bytes.length) throw bad("has a header that is cut short");
  return {
    header: String.fromCharCode(...bytes.subarray(start, start + Math.min(length, 4096))),
    offset: start + length,
  };
}

function parseShape(text: string): number[] {
  const dims = text.split(",").map((dim) => dim.trim());
  if (dims.at(-1) === "") dims.pop();
  if (!dims.every((dim) => /^\d{1,15}$/.test(dim)) || sizeOf(dims.map(Number)) > 2 ** 40)
    throw bad(`has the shape (${text})`);
  return dims.map(Number);
}

function typeOf(data: TensorData): string {
  if (data instanceof Float32Array) return "<f4";
  if (data instanceof BigInt64Array) return "<i8";
  if (data instanceof Int32Array) return "<i4";
  if (data instanceof Int16Array) return "<i2";
  if (data instanceof Uint16Array) return "<u2";
  return data instanceof Int8Array ? "|i1" : "|u1";
}

const bad = (what: string, hint = "Write it with numpy.save."): SenseError =>
  new SenseError("BAD_TENSOR", `the .npy file ${what}`, { hint });
