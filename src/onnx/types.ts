import { SenseError } from "../core/errors.js";
import type { TensorData } from "../core/tensor.js";

/** ONNX element types by name: their number in TensorProto.DataType (onnx.proto3) and their size in bytes. */
export const dataTypes = {
  float32: { code: 1, bytes: 4 },
  uint8: { code: 2, bytes: 1 },
  int8: { code: 3, bytes: 1 },
  uint16: { code: 4, bytes: 2 },
  int16: { code: 5, bytes: 2 },
  int32: { code: 6, bytes: 4 },
  int64: { code: 7, bytes: 8 },
  string: { code: 8, bytes: 0 },
  bool: { code: 9, bytes: 1 },
  float16: { code: 10, bytes: 2 },
  float64: { code: 11, bytes: 8 },
  uint32: { code: 12, bytes: 4 },
  uint64: { code: 13, bytes: 8 },
  bfloat16: { code: 16, bytes: 2 },
} as const;

export type DataType = keyof typeof dataTypes;

const byCode = new Map<number, DataType>(
  (Object.keys(dataTypes) as DataType[]).map((name) => [dataTypes[name].code, name]),
);

/** The name of an ONNX element type, `undefined` for one that is not in the table. */
export const dataTypeOf = (code: number): DataType | undefined => byCode.get(code);

/** The ONNX type of a typed array; a Uint16Array holds the bits of float16 numbers, as ONNX Runtime has it. */
export function typeOfArray(data: TensorData): DataType {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Uint8Array) return "uint8";
  if (data instanceof Int8Array) return "int8";
  if (data instanceof Uint16Array) return "float16";
  if (data instanceof Int16Array) return "int16";
  if (data instanceof Int32Array) return "int32";
  return "int64";
}

/** The bytes of a typed array, without copying. */
export const bytesOf = (data: ArrayBufferView): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** Little-endian bytes of a weight as a typed array of its type; copied only where the bytes are not aligned. */
export function arrayOf(type: DataType, bytes: Uint8Array): TensorData {
  const { bytes: size } = dataTypes[type];
  const aligned = size > 0 && bytes.byteOffset % size === 0 ? bytes : Uint8Array.from(bytes);
  const { buffer, byteOffset } = aligned;
  const length = size === 0 ? 0 : aligned.byteLength / size;
  switch (type) {
    case "float32":
      return new Float32Array(buffer, byteOffset, length);
    case "uint8":
    case "bool":
      return new Uint8Array(buffer, byteOffset, length);
    case "int8":
      return new Int8Array(buffer, byteOffset, length);
    case "float16":
    case "bfloat16":
    case "uint16":
      return new Uint16Array(buffer, byteOffset, length);
    case "int16":
      return new Int16Array(buffer, byteOffset, length);
    case "int32":
      return new Int32Array(buffer, byteOffset, length);
    case "int64":
      return new BigInt64Array(buffer, byteOffset, length);
    default:
      throw new SenseError("BAD_MODEL", `a tensor of type ${type} cannot be read as numbers here`);
  }
}
