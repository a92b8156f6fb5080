import { fromFloat16, toFloat16 } from "../core/float16.js";

/** float32 to the bits of float16. A hot loop: 600 million calls for a large checkpoint. */
export function toHalf(values: Float32Array): Uint16Array {
  const out = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) out[i] = toFloat16(values[i]!);
  return out;
}

/** The bits of float16 to float32. */
export function fromHalf(halves: Uint16Array): Float32Array {
  const out = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = fromFloat16(halves[i]!);
  return out;
}

/** The bits of bfloat16, the upper half of a float32, to float32. */
export function fromBfloat16(halves: Uint16Array): Float32Array {
  const out = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) out[i] = halves[i]! << 16;
  return new Float32Array(out.buffer);
}
