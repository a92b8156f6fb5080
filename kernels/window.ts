/**
 * The hot loops of src/window in WebAssembly SIMD. AssemblyScript, which is not TypeScript: see README.md for how
 * src/window/kernels.ts is made from it. Every pointer is a byte address; nothing is allocated here.
 */

const HALF: i32 = 1 << 21;

/** Sums of products at 22 bits after the point, the weights' low 11 bits and the rest summed apart, as clipped bytes in 32-bit lanes. */
function settle(low: v128, high: v128): v128 {
  return i32x4.shr_s(i32x4.add(low, i32x4.shl(high, 11)), 22);
}

/**
 * Horizontal pass over RGB rows. `taps`: for each output the byte offset of its first pixel, then for every four taps the weights
 * as four pairs of int16: low of 0 and 1, high of 0 and 1, low of 2 and 3, high of 2 and 3.
 */
export function rows3(source: usize, stride: i32, rows: i32, taps: usize, outputs: i32, quads: i32, out: usize): void {
  const zero = i32x4.splat(0);
  // Pixels 0 and 1, then 2 and 3: red, green and blue of both as int16, the high bytes zero.
  const first = i8x16(0, -128, 3, -128, 1, -128, 4, -128, 2, -128, 5, -128, -128, -128, -128, -128);
  const second = i8x16(6, -128, 9, -128, 7, -128, 10, -128, 8, -128, 11, -128, -128, -128, -128, -128);
  for (let y = 0; y < rows; y++) {
    let tap = taps;
    for (let x = 0; x < outputs; x++) {
      let p = source + <usize>load<i32>(tap);
      tap += 4;
      let low = i32x4.splat(HALF);
      let high = zero;
      for (let q = 0; q < quads; q++, p += 12, tap += 16) {
        const px = v128.load(p);
        const a = i8x16.swizzle(px, first);
        const b = i8x16.swizzle(px, second);
        low = i32x4.add(low, i32x4.dot_i16x8_s(a, v128.load32_splat(tap)));
        high = i32x4.add(high, i32x4.dot_i16x8_s(a, v128.load32_splat(tap, 4)));
        low = i32x4.add(low, i32x4.dot_i16x8_s(b, v128.load32_splat(tap, 8)));
        high = i32x4.add(high, i32x4.dot_i16x8_s(b, v128.load32_splat(tap, 12)));
      }
      const words = i16x8.narrow_i32x4_s(settle(low, high), zero);
      // The fourth byte is overwritten by the next pixel.
      v128.store_lane<u32>(out, i8x16.narrow_i16x8_u(words, zero), 0);
      out += 3;
    }
    source += stride;
  }
}

/** Horizontal pass over grey rows. `taps`: as above, but for every eight taps eight low and eight high int16. */
export function rows1(source: usize, stride: i32, rows: i32, taps: usize, outputs: i32, octets: i32, out: usize): void {
  for (let y = 0; y < rows; y++) {
    let tap = taps;
    for (let x = 0; x < outputs; x++) {
      let p = source + <usize>load<i32>(tap);
      tap += 4;
      let low = i32x4.splat(0);
      let high = i32x4.splat(0);
      for (let q = 0; q < octets; q++, p += 8, tap += 32) {
        const px = v128.load_ext<u8>(p);
        low = i32x4.add(low, i32x4.dot_i16x8_s(px, v128.load(tap)));
        high = i32x4.add(high, i32x4.dot_i16x8_s(px, v128.load(tap, 16)));
      }
      const l =
        i32x4.extract_lane(low, 0) +
        i32x4.extract_lane(low, 1) +
        i32x4.extract_lane(low, 2) +
        i32x4.extract_lane(low, 3);
      const h =
        i32x4.extract_lane(high, 0) +
        i32x4.extract_lane(high, 1) +
        i32x4.extract_lane(high, 2) +
        i32x4.extract_lane(high, 3);
      const value = (HALF + l + (h << 11)) >> 22;
      store<u8>(out, <u8>max(0, min(255, value)));
      out++;
    }
    source += stride;
  }
}

/**
 * Vertical pass over rows of `length` bytes. `taps`: for each output row the number of its first row, then for every two taps a
 * pair of low and a pair of high int16. Reads and writes up to 15 bytes past the end of a row.
 */
export function columns(source: usize, length: i32, taps: usize, outputs: i32, pairs: i32, out: usize): void {
  for (let y = 0; y < outputs; y++) {
    const first = source + <usize>load<i32>(taps) * length;
    for (let x = 0; x < length; x += 16) {
      let p = first + x;
      let tap = taps + 4;
      let l0 = i32x4.splat(HALF);
      let l1 = l0;
      let l2 = l0;
      let l3 = l0;
      let h0 = i32x4.splat(0);
      let h1 = h0;
      let h2 = h0;
      let h3 = h0;
      for (let k = 0; k < pairs; k++, tap += 8) {
        const a = v128.load(p);
        const b = v128.load(p + length);
        p += 2 * length;
        const low = v128.load32_splat(tap);
        const high = v128.load32_splat(tap, 4);
        const left = v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const right = v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
        let words = i16x8.extend_low_i8x16_u(left);
        l0 = i32x4.add(l0, i32x4.dot_i16x8_s(words, low));
        h0 = i32x4.add(h0, i32x4.dot_i16x8_s(words, high));
        words = i16x8.extend_high_i8x16_u(left);
        l1 = i32x4.add(l1, i32x4.dot_i16x8_s(words, low));
        h1 = i32x4.add(h1, i32x4.dot_i16x8_s(words, high));
        words = i16x8.extend_low_i8x16_u(right);
        l2 = i32x4.add(l2, i32x4.dot_i16x8_s(words, low));
        h2 = i32x4.add(h2, i32x4.dot_i16x8_s(words, high));
        words = i16x8.extend_high_i8x16_u(right);
        l3 = i32x4.add(l3, i32x4.dot_i16x8_s(words, low));
        h3 = i32x4.add(h3, i32x4.dot_i16x8_s(words, high));
      }
      const left = i16x8.narrow_i32x4_s(settle(l0, h0), settle(l1, h1));
      const right = i16x8.narrow_i32x4_s(settle(l2, h2), settle(l3, h3));
      v128.store(out + x, i8x16.narrow_i16x8_u(left, right));
    }
    out += length;
    taps += 4 + 8 * pairs;
  }
}

/** Interleaved bytes to three planes of float32: value v of channel c becomes entry 256 * c + v of `levels`; grey goes to all three. */
export function planes(bytes: usize, pixels: i32, channels: i32, levels: usize, out: usize): void {
  for (let c = 0; c < 3; c++) {
    let p = bytes + (channels === 3 ? <usize>c : 0);
    const table = levels + ((<usize>c) << 10);
    for (let i = 0; i < pixels; i++, p += channels, out += 4) {
      store<f32>(out, load<f32>(table + ((<usize>load<u8>(p)) << 2)));
    }
  }
}

/** `count` outputs of a polyphase filter. `bank`: for each phase the first input as int32, 4 bytes of nothing, `taps` float64 (a multiple of 4). */
export function polyphase(
  input: usize,
  bank: usize,
  taps: i32,
  phases: i32,
  period: i32,
  count: i32,
  out: usize,
): void {
  const stride = 8 + 8 * taps;
  let phase = 0;
  for (let n = 0; n < count; n++, out += 4) {
    let weight = bank + phase * stride;
    let p = input + ((<usize>load<i32>(weight)) << 2);
    weight += 8;
    let even = f64x2.splat(0);
    let odd = even;
    for (let k = 0; k < taps; k += 4, p += 16, weight += 32) {
      const a = f64x2.promote_low_f32x4(v128.load64_zero(p));
      const b = f64x2.promote_low_f32x4(v128.load64_zero(p, 8));
      even = f64x2.add(even, f64x2.mul(a, v128.load(weight)));
      odd = f64x2.add(odd, f64x2.mul(b, v128.load(weight, 16)));
    }
    const sum = f64x2.add(even, odd);
    store<f32>(out, <f32>(f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1)));
    if (++phase === phases) {
      phase = 0;
      input += (<usize>period) << 2;
    }
  }
}

/** Sample i of two frames, less `offset` in float32, as float64. */
function both(a: usize, b: usize, i: i32, offset: v128): v128 {
  const raw = v128.load_lane<u32>(b + ((<usize>i) << 2), v128.load32_zero(a + ((<usize>i) << 2)), 1);
  return f64x2.promote_low_f32x4(f32x4.sub(raw, offset));
}

/** Mean of two frames. Four sums at once: one would wait for its own additions. */
function means(a: usize, b: usize, length: i32, offset: v128): v128 {
  let even = f64x2.splat(0);
  let odd = even;
  let even2 = even;
  let odd2 = even;
  const whole = length & ~3;
  for (let i = 0; i < whole; i += 4) {
    const one = f32x4.sub(v128.load(a + ((<usize>i) << 2)), offset);
    const two = f32x4.sub(v128.load(b + ((<usize>i) << 2)), offset);
    even = f64x2.add(even, f64x2.promote_low_f32x4(one));
    odd = f64x2.add(odd, f64x2.promote_low_f32x4(v128.shuffle<u64>(one, one, 1, 1)));
    even2 = f64x2.add(even2, f64x2.promote_low_f32x4(two));
    odd2 = f64x2.add(odd2, f64x2.promote_low_f32x4(v128.shuffle<u64>(two, two, 1, 1)));
  }
  even = f64x2.add(even, odd);
  even2 = f64x2.add(even2, odd2);
  let sum = f64x2.add(v128.shuffle<u64>(even, even2, 0, 2), v128.shuffle<u64>(even, even2, 1, 3));
  for (let i = whole; i < length; i++) sum = f64x2.add(sum, both(a, b, i, offset));
  return f64x2.div(sum, f64x2.splat(<f64>length));
}

/** Two frames, one a lane, windowed into `work` as float64 pairs: mean off, pre-emphasis 0.97 with the first sample before itself. */
function frame(a: usize, b: usize, length: i32, offset: v128, window: usize, work: usize): void {
  const mean = means(a, b, length, offset);
  let before = f64x2.sub(both(a, b, 0, offset), mean);
  for (let i = 0; i < length; i++) {
    const sample = f64x2.sub(both(a, b, i, offset), mean);
    const value = f64x2.sub(sample, f64x2.mul(f64x2.splat(0.97), before));
    v128.store(work + ((<usize>i) << 4), f64x2.mul(value, v128.load64_splat(window + ((<usize>i) << 3))));
    before = sample;
  }
}

/** Complex FFT in place, decimation in frequency, radix 4 with a last radix 2: outputs stand in digit-reversed order. */
function fft(work: usize, points: i32, twiddles: usize): void {
  for (let size = points; size >= 4; size >>= 2) {
    const q = size >> 2;
    const step = (<usize>q) << 5;
    for (let j = 0; j < q; j++, twiddles += 48) {
      const w1r = v128.load64_splat(twiddles);
      const w1i = v128.load64_splat(twiddles, 8);
      const w2r = v128.load64_splat(twiddles, 16);
      const w2i = v128.load64_splat(twiddles, 24);
      const w3r = v128.load64_splat(twiddles, 32);
      const w3i = v128.load64_splat(twiddles, 40);
      const end = work + ((<usize>points) << 5);
      for (let p = work + ((<usize>j) << 5); p < end; p += step << 2) {
        const p1 = p + step;
        const p2 = p1 + step;
        const p3 = p2 + step;
        const ar = v128.load(p);
        const ai = v128.load(p, 16);
        const br = v128.load(p1);
        const bi = v128.load(p1, 16);
        const cr = v128.load(p2);
        const ci = v128.load(p2, 16);
        const dr = v128.load(p3);
        const di = v128.load(p3, 16);
        const t0r = f64x2.add(ar, cr);
        const t0i = f64x2.add(ai, ci);
        const t1r = f64x2.sub(ar, cr);
        const t1i = f64x2.sub(ai, ci);
        const t2r = f64x2.add(br, dr);
        const t2i = f64x2.add(bi, di);
        // (b - d) times -i
        const t3r = f64x2.sub(bi, di);
        const t3i = f64x2.sub(dr, br);
        v128.store(p, f64x2.add(t0r, t2r));
        v128.store(p, f64x2.add(t0i, t2i), 16);
        const y1r = f64x2.add(t1r, t3r);
        const y1i = f64x2.add(t1i, t3i);
        const y2r = f64x2.sub(t0r, t2r);
        const y2i = f64x2.sub(t0i, t2i);
        const y3r = f64x2.sub(t1r, t3r);
        const y3i = f64x2.sub(t1i, t3i);
        if (j === 0) {
          v128.store(p1, y1r);
          v128.store(p1, y1i, 16);
          v128.store(p2, y2r);
          v128.store(p2, y2i, 16);
          v128.store(p3, y3r);
          v128.store(p3, y3i, 16);
        } else {
          v128.store(p1, f64x2.sub(f64x2.mul(y1r, w1r), f64x2.mul(y1i, w1i)));
          v128.store(p1, f64x2.add(f64x2.mul(y1r, w1i), f64x2.mul(y1i, w1r)), 16);
          v128.store(p2, f64x2.sub(f64x2.mul(y2r, w2r), f64x2.mul(y2i, w2i)));
          v128.store(p2, f64x2.add(f64x2.mul(y2r, w2i), f64x2.mul(y2i, w2r)), 16);
          v128.store(p3, f64x2.sub(f64x2.mul(y3r, w3r), f64x2.mul(y3i, w3i)));
          v128.store(p3, f64x2.add(f64x2.mul(y3r, w3i), f64x2.mul(y3i, w3r)), 16);
        }
      }
    }
  }
  if ((31 - clz(points)) & 1) {
    for (let p = work; p < work + ((<usize>points) << 5); p += 64) {
      const ar = v128.load(p);
      const ai = v128.load(p, 16);
      const br = v128.load(p, 32);
      const bi = v128.load(p, 48);
      v128.store(p, f64x2.add(ar, br));
      v128.store(p, f64x2.add(ai, bi), 16);
      v128.store(p, f64x2.sub(ar, br), 32);
      v128.store(p, f64x2.sub(ai, bi), 48);
    }
  }
}

/** Powers of bins 0 .. points - 1 of the real transform whose even and odd samples were real and imaginary parts. `places`: byte offset of each output; `turns`: cos and sin. */
function powers(work: usize, points: i32, places: usize, turns: usize, out: usize): void {
  const dc = f64x2.add(v128.load(work), v128.load(work, 16));
  v128.store(out, f64x2.mul(dc, dc));
  const half = f64x2.splat(0.5);
  for (let k = 1; k <= points >> 1; k++) {
    const a = work + <usize>load<i32>(places + (k << 2));
    const b = work + <usize>load<i32>(places + ((points - k) << 2));
    const ar = v128.load(a);
    const ai = v128.load(a, 16);
    const br = v128.load(b);
    const bi = v128.load(b, 16);
    const er = f64x2.mul(half, f64x2.add(ar, br));
    const ei = f64x2.mul(half, f64x2.sub(ai, bi));
    const or = f64x2.mul(half, f64x2.add(ai, bi));
    const oi = f64x2.mul(half, f64x2.sub(br, ar));
    const c = v128.load64_splat(turns + (k << 4));
    const s = v128.load64_splat(turns + (k << 4), 8);
    const tr = f64x2.sub(f64x2.mul(or, c), f64x2.mul(oi, s));
    const ti = f64x2.add(f64x2.mul(or, s), f64x2.mul(oi, c));
    const xr = f64x2.add(er, tr);
    const xi = f64x2.add(ei, ti);
    const yr = f64x2.sub(er, tr);
    const yi = f64x2.sub(ei, ti);
    v128.store(out + (k << 4), f64x2.add(f64x2.mul(xr, xr), f64x2.mul(xi, xi)));
    v128.store(out + ((points - k) << 4), f64x2.add(f64x2.mul(yr, yr), f64x2.mul(yi, yi)));
  }
}

/**
 * Natural log of four positive normal numbers, as exact as float32 is: exponent, and the series of 2 artanh((m - 1) / (m + 1)),
 * whose argument is below 0.172.
 */
function ln(x: v128): v128 {
  const one = f32x4.splat(1);
  let e = f32x4.convert_i32x4_s(i32x4.sub(i32x4.shr_s(x, 23), i32x4.splat(127)));
  let m = v128.or(v128.and(x, i32x4.splat(0x7fffff)), one);
  const big = f32x4.gt(m, f32x4.splat(1.41421354));
  m = v128.bitselect(f32x4.mul(m, f32x4.splat(0.5)), m, big);
  e = f32x4.add(e, v128.and(big, one));
  const s = f32x4.div(f32x4.sub(m, one), f32x4.add(m, one));
  const z = f32x4.mul(s, s);
  let series = f32x4.splat(1.0 / 9.0);
  series = f32x4.add(f32x4.mul(series, z), f32x4.splat(1.0 / 7.0));
  series = f32x4.add(f32x4.mul(series, z), f32x4.splat(1.0 / 5.0));
  series = f32x4.add(f32x4.mul(series, z), f32x4.splat(1.0 / 3.0));
  series = f32x4.add(f32x4.mul(series, z), one);
  const mantissa = f32x4.mul(f32x4.add(s, s), series);
  return f32x4.add(mantissa, f32x4.mul(e, f32x4.splat(<f32>Math.LN2)));
}

/** Where the tables of a filterbank stand, and its sizes: read from `plan` as int32. */
function at(plan: usize, field: i32): i32 {
  return load<i32>(plan + (field << 2));
}

/**
 * Log-mel energies of `frames` frames of samples less `offset`, two at a time, as (ln - mean) * scale in float32 at `out`, rows `rowStride` bytes apart.
 * `plan`: length, shift, points, rows, then the addresses of window, twiddles, places, turns, mel, work, power. `mel`: for each row the
 * first bin and the number of bins as int32, then its weights as float64.
 */
export function fbank(
  plan: usize,
  samples: usize,
  frames: i32,
  offset: f32,
  mean: f64,
  scale: f64,
  out: usize,
  rowStride: i32,
): void {
  const length = at(plan, 0);
  const shift = at(plan, 1) << 2;
  const points = at(plan, 2);
  const rows = at(plan, 3);
  const work = <usize>at(plan, 9);
  const power = <usize>at(plan, 10);
  for (let f = 0; f < frames; f += 2) {
    const a = samples + f * shift;
    const paired = f + 1 < frames;
    frame(a, paired ? a + shift : a, length, f32x4.splat(offset), <usize>at(plan, 4), work);
    for (let i = length; i < points << 1; i++) v128.store(work + (i << 4), i32x4.splat(0));
    fft(work, points, <usize>at(plan, 5));
    powers(work, points, <usize>at(plan, 6), <usize>at(plan, 7), power);
    let mel = <usize>at(plan, 8);
    let to = out + ((<usize>f) << 2);
    for (let r = 0; r < rows; r++, to += rowStride) {
      let p = power + ((<usize>load<i32>(mel)) << 4);
      const count = load<i32>(mel, 4);
      mel += 8;
      let energy = f64x2.splat(0);
      for (let k = 0; k < count; k++, p += 16, mel += 8) {
        energy = f64x2.add(energy, f64x2.mul(v128.load(p), v128.load64_splat(mel)));
      }
      store<f32>(to, <f32>f64x2.extract_lane(energy, 0));
      if (paired) store<f32>(to, <f32>f64x2.extract_lane(energy, 1), 4);
    }
  }
  for (let r = 0; r < rows; r++, out += rowStride) logs(out, frames, <f32>mean, <f32>scale);
}

/** Energies to (ln of at least 2^-23, less the mean) * scale, in place. */
function logs(row: usize, count: i32, mean: f32, scale: f32): void {
  const floor = f32x4.splat(1.1920928955078125e-7);
  for (let i = 0; i < count; i += 4, row += 16) {
    const value = f32x4.mul(f32x4.sub(ln(f32x4.max(v128.load(row), floor)), f32x4.splat(mean)), f32x4.splat(scale));
    if (i + 4 <= count) {
      v128.store(row, value);
    } else {
      store<f32>(row, f32x4.extract_lane(value, 0));
      if (i + 1 < count) store<f32>(row, f32x4.extract_lane(value, 1), 4);
      if (i + 2 < count) store<f32>(row, f32x4.extract_lane(value, 2), 8);
    }
  }
}
