import type { BitReader } from "./bit-reader.js";

/** A frame that breaks the format or fails its CRC; the message says how. */
export class DamagedFrame extends Error {}

/** Fixed predictors by order: coefficients of the samples before, the newest first (RFC 9639, 9.2.5). */
const fixed = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]] as const;

/** Decodes one channel of a frame (RFC 9639, 9.2). */
export function decodeSubframe(reader: BitReader, size: number, bits: number): Int32Array {
  if (reader.bits(1) !== 0) throw new DamagedFrame("a subframe starts with a one");
  const type = reader.bits(6);
  const wasted = reader.bits(1) === 1 ? reader.unary() + 1 : 0;
  const width = bits - wasted;
  if (width < 1) throw new DamagedFrame(`a sample of ${bits} bits has ${wasted} wasted ones`);
  const out = new Int32Array(size);
  if (type === 0) out.fill(reader.signed(width));
  else if (type === 1) for (let i = 0; i < size; i++) out[i] = reader.signed(width);
  else if (type >= 8 && type <= 12) predictFixed(reader, out, { order: type - 8, width });
  else if (type >= 32) predictLinear(reader, out, { order: type - 31, width });
  else throw new DamagedFrame(`there is no subframe type ${type}`);
  if (wasted > 0) for (let i = 0; i < size; i++) out[i] = out[i]! << wasted;
  return out;
}

interface Prediction {
  readonly order: number;
  readonly width: number;
}

function predictFixed(reader: BitReader, out: Int32Array, { order, width }: Prediction): void {
  warmUp(reader, out, { order, width });
  readResidual(reader, out, order);
  restore(out, Int32Array.from(fixed[order]!), { shift: 0, exact32: width + 5 <= 32 });
}

function predictLinear(reader: BitReader, out: Int32Array, { order, width }: Prediction): void {
  warmUp(reader, out, { order, width });
  const precision = reader.bits(4) + 1;
  const shift = reader.signed(5);
  if (precision === 16 || shift < 0) throw new DamagedFrame("a predictor's precision or shift is invalid");
  const coefficients = Int32Array.from({ length: order }, () => reader.signed(precision));
  readResidual(reader, out, order);
  restore(out, coefficients, { shift, exact32: width + precision + Math.ceil(Math.log2(order)) <= 32 });
}

function warmUp(reader: BitReader, out: Int32Array, { order, width }: Prediction): void {
  if (order > out.length) throw new DamagedFrame(`a block of ${out.length} samples has a predictor of order ${order}`);
  for (let i = 0; i < order; i++) out[i] = reader.signed(width);
}

/** Rice-coded residuals into `out`, after the warm-up samples (RFC 9639, 9.2.7). */
function readResidual(reader: BitReader, out: Int32Array, order: number): void {
  const method = reader.bits(2);
  if (method > 1) throw new DamagedFrame(`there is no residual coding ${method}`);
  const parameterBits = method === 0 ? 4 : 5;
  const escaped = 2 ** parameterBits - 1;
  const partitions = 2 ** reader.bits(4);
  const length = out.length / partitions;
  if (!Number.isInteger(length) || length < order) throw new DamagedFrame(`${partitions} partitions do not fit`);
  for (let p = 0, i = order; p < partitions; p++) {
    const parameter = reader.bits(parameterBits);
    const end = (p + 1) * length;
    if (parameter === escaped) {
      const raw = reader.bits(5);
      for (; i < end; i++) out[i] = raw === 0 ? 0 : reader.signed(raw);
    } else {
      for (; i < end; i++) {
        const folded = reader.unary() * 2 ** parameter + reader.bits(parameter);
        out[i] = folded % 2 === 0 ? folded / 2 : -(folded + 1) / 2;
      }
    }
  }
}

/** Adds the prediction to each residual, in place. Sums that fit are 32-bit; others are exact in a double (below 2^53). */
function restore(
  out: Int32Array,
  coefficients: Int32Array,
  { shift, exact32 }: { shift: number; exact32: boolean },
): void {
  const order = coefficients.length;
  if (order === 0) return;
  if (exact32) {
    for (let i = order; i < out.length; i++) {
      let sum = 0;
      for (let j = 0; j < order; j++) sum = (sum + Math.imul(coefficients[j]!, out[i - 1 - j]!)) | 0;
      out[i] = out[i]! + (sum >> shift);
    }
    return;
  }
  const divisor = 2 ** shift;
  for (let i = order; i < out.length; i++) {
    let sum = 0;
    for (let j = 0; j < order; j++) sum += coefficients[j]! * out[i - 1 - j]!;
    out[i] = out[i]! + Math.floor(sum / divisor);
  }
}
