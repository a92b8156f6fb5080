/** An exact fraction, `den` positive. */
export interface Rational {
  readonly num: bigint;
  readonly den: bigint;
}

const view = new DataView(new ArrayBuffer(8));

/** The exact value of a finite, non-negative double. */
export function exactly(value: number): Rational {
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number(bits >> 52n) & 0x7ff;
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = exponent === 0 ? fraction : fraction | (1n << 52n);
  const shift = Math.max(exponent, 1) - 1075;
  return shift >= 0 ? { num: mantissa << BigInt(shift), den: 1n } : { num: mantissa, den: 1n << BigInt(-shift) };
}

export const add = (a: Rational, b: Rational): Rational => ({ num: a.num * b.den + b.num * a.den, den: a.den * b.den });

export const times = (a: Rational, factor: bigint): Rational => ({ num: a.num * factor, den: a.den });

export const over = (a: Rational, divisor: bigint): Rational => ({ num: a.num, den: a.den * divisor });

/** The whole part of a non-negative fraction. */
export const trunc = ({ num, den }: Rational): number => Number(num / den);

/** The nearest double of a non-negative fraction, ties to even, as Python's Fraction becomes a float. */
export function toNumber({ num, den }: Rational): number {
  const bits = (value: bigint): number => value.toString(2).length;
  // 64 bits of the quotient, the last one standing for any remainder: Number() then rounds as if it saw all of them.
  const shift = 64 + bits(den) - bits(num);
  const up = shift > 0 ? num << BigInt(shift) : num;
  const down = shift > 0 ? den : den << BigInt(-shift);
  const quotient = up / down;
  return Number(up % down === 0n ? quotient : quotient | 1n) * 2 ** -shift;
}
