const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** IEEE 754 binary16 bits of a number, rounded to nearest, ties to even. Allocates nothing. */
export function toFloat16(value: number): number {
  float[0] = value;
  const word = bits[0]!;
  const sign = (word >>> 16) & 0x8000;
  const exponent = (word >>> 23) & 0xff;
  const mantissa = word & 0x7fffff;
  if (exponent === 0xff) return sign | 0x7c00 | (mantissa === 0 ? 0 : 0x200);
  // The smallest normal binary16 is 2^-14 (float32 exponent 113); below it, subnormals in steps of 2^-24.
  if (exponent < 113) {
    if (exponent < 102) return sign;
    const shift = 126 - exponent;
    return sign | halfToEven(mantissa | 0x800000, shift);
  }
  const rounded = ((exponent - 112) << 10) + halfToEven(mantissa, 13);
  return sign | Math.min(rounded, 0x7c00);
}

function halfToEven(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && (kept & 1) === 1) ? kept + 1 : kept;
}

/** The number of IEEE 754 binary16 bits. Allocates nothing. */
export function fromFloat16(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 0x1f;
  const mantissa = half & 0x3ff;
  if (exponent === 0) return sign * mantissa * 2 ** -24;
  if (exponent === 0x1f) return mantissa === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1 + mantissa / 1024) * 2 ** (exponent - 15);
}
