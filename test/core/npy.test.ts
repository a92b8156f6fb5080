import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { isSenseError } from "../../src/core/errors.js";
import { decodeNpy, encodeNpy } from "../../src/core/npy.js";
import { sizeOf, tensor } from "../../src/core/tensor.js";

const bytesOf = (header: string, data: readonly number[]): Uint8Array =>
  Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, header.length, 0, ...Buffer.from(header), ...data]);

describe("npy", () => {
  test("what is written is read back, whatever the shape and type", () => {
    const makers = [Float32Array, Uint8Array, Int8Array, Uint16Array, Int16Array, Int32Array];
    const dims = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 4 });
    fc.assert(
      fc.property(dims, fc.constantFrom(...makers), fc.integer({ min: 0, max: 7 }), (shape, Type, shift) => {
        const before = tensor(shape, new Type(Array.from({ length: sizeOf(shape) }, (_, i) => i % 100)));
        const file = encodeNpy(before);
        const moved = new Uint8Array(file.length + shift).subarray(shift);
        moved.set(file);
        expect(decodeNpy(moved)).toEqual(before);
        expect(decodeNpy(Buffer.from(file))).toEqual(before);
        expect(file.indexOf(10) % 64).toBe(63);
      }),
    );
  });

  test("int64 keeps its width", () => {
    const ids = tensor([1, 2], BigInt64Array.of(49406n, -(2n ** 62n)));
    expect(decodeNpy(encodeNpy(ids))).toEqual(ids);
  });

  test("the header is numpy's own", () => {
    const text = Buffer.from(encodeNpy(tensor([2], Float32Array.of(1, 2)))).toString("latin1");
    expect(text.slice(10, 70)).toBe("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }   ");
  });

  test("float64, numpy's default, is read as float32", () => {
    const data = [...new Uint8Array(new Float64Array([0.5, -3]).buffer)];
    const file = bytesOf("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n", data);
    expect(decodeNpy(file).data).toEqual(Float32Array.of(0.5, -3));
  });

  test.each([
    ["text", Buffer.from("a dog barks in the rain")],
    ["nothing", new Uint8Array()],
    ["Fortran order", bytesOf("{'descr': '|u1', 'fortran_order': True, 'shape': (1,), }", [1])],
    ["objects", bytesOf("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", [1])],
    ["big-endian", bytesOf("{'descr': '>f4', 'fortran_order': False, 'shape': (1,), }", [1, 2, 3, 4])],
    ["data cut short", bytesOf("{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", [1, 2, 3, 4])],
    ["a negative dimension", bytesOf("{'descr': '|u1', 'fortran_order': False, 'shape': (-1,), }", [1])],
    ["an enormous shape", bytesOf("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999,99999999), }", [1])],
    ["a header longer than the file", Uint8Array.from([0x93, ...Buffer.from("NUMPY"), 1, 0, 255, 255, 1, 1])],
  ])("%s is refused as BAD_TENSOR", (_, file) => {
    expect(() => decodeNpy(file)).toThrow(expect.toSatisfy((error) => isSenseError(error, "BAD_TENSOR")));
  });
});
