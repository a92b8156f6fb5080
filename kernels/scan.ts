/**
 * The hot loop of src/space/store in WebAssembly SIMD; AssemblyScript, see README.md. Every pointer is a byte address.
 */

/**
 * Products of `rows` rows of int8, `stride` bytes apart (a multiple of 32), with a query of as many int16, each times the
 * row's scale: float32 to `out`. The caller keeps the products below 2^31.
 */
export function scan(codes: usize, stride: i32, rows: i32, scales: usize, query: usize, out: usize): void {
  for (let row = 0; row < rows; row++) {
    let a = i32x4.splat(0);
    let b = i32x4.splat(0);
    let c = i32x4.splat(0);
    let d = i32x4.splat(0);
    for (let i = 0; i < stride; i += 32) {
      const x = v128.load(codes + i);
      const y = v128.load(codes + i, 16);
      const q = query + ((<usize>i) << 1);
      a = i32x4.add(a, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(x), v128.load(q)));
      b = i32x4.add(b, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(x), v128.load(q, 16)));
      c = i32x4.add(c, i32x4.dot_i16x8_s(i16x8.extend_low_i8x16_s(y), v128.load(q, 32)));
      d = i32x4.add(d, i32x4.dot_i16x8_s(i16x8.extend_high_i8x16_s(y), v128.load(q, 48)));
    }
    const sum = i32x4.add(i32x4.add(a, b), i32x4.add(c, d));
    const product =
      i32x4.extract_lane(sum, 0) + i32x4.extract_lane(sum, 1) + i32x4.extract_lane(sum, 2) + i32x4.extract_lane(sum, 3);
    store<f32>(out, <f32>product * load<f32>(scales));
    codes += stride;
    scales += 4;
    out += 4;
  }
}
