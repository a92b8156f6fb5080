/** Kaldi's mel filterbank for a power spectrum: row r weighs the bins `first[r]` .. `first[r] + count[r] - 1`. */
export interface MelBank {
  readonly first: Int32Array;
  readonly count: Int32Array;
  /** The weights of all rows, one row after the other. */
  readonly weights: Float64Array;
}

export interface MelOptions {
  readonly rate: number;
  readonly rows: number;
  /** Bins of the power spectrum up to, but without, Nyquist. */
  readonly bins: number;
}

/** Lowest frequency, in Hz; the highest is Nyquist. */
const LOW = 20;

const mel = (hertz: number): number => 1127 * Math.log(1 + hertz / 700);

/** Triangles equidistant in mel whose edges are straight in mel, not in Hz, and which are not normalised by area (PARITY A4). */
export function melBank({ rate, rows, bins }: MelOptions): MelBank {
  const low = mel(LOW);
  const step = (mel(rate / 2) - low) / (rows + 1);
  const first = new Int32Array(rows);
  const count = new Int32Array(rows);
  const weights: number[] = [];
  for (let r = 0; r < rows; r++) {
    const left = low + r * step;
    for (let j = 0; j < bins; j++) {
      const at = mel((j * rate) / (2 * bins));
      const weight = Math.min((at - left) / step, (left + 2 * step - at) / step);
      if (weight <= 0) continue;
      if (count[r] === 0) first[r] = j;
      count[r]!++;
      weights.push(weight);
    }
  }
  return { first, count, weights: Float64Array.from(weights) };
}

/** The filterbank as the kernel reads it: for each row its first bin and count as int32, then the weights as float64. */
export function melTable(options: MelOptions): Uint8Array {
  const { first, count, weights } = melBank(options);
  const table = new DataView(new ArrayBuffer(8 * first.length + 8 * weights.length));
  let at = 0;
  let k = 0;
  for (let r = 0; r < first.length; r++, at += 8) {
    table.setInt32(at, first[r]!, true);
    table.setInt32(at + 4, count[r]!, true);
    for (let i = 0; i < count[r]!; i++, at += 8) table.setFloat64(at + 8, weights[k++]!, true);
  }
  return new Uint8Array(table.buffer);
}
