import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seeded } from "../../src/core/random.js";
import { fbank, hann } from "../../src/window/fbank.js";
import { shortestThenCrop, stretch } from "../../src/window/fit.js";
import { sourceSha256 } from "../../src/window/kernels.js";
import { melBank } from "../../src/window/mel.js";
import { type Pixels, resize } from "../../src/window/pillow.js";
import { hannSinc, resampleSinc } from "../../src/window/resample.js";
import { type Axis, antialiasedTaps, type Filter } from "../../src/window/taps.js";

test("the compiled kernels are those of the source", () => {
  const sha256 = createHash("sha256").update(readFileSync("kernels/window.ts")).digest("hex");
  expect(sourceSha256, "run npx tsx kernels/build.ts").toBe(sha256);
});

/** One pass of Pillow's Resample.c, as plainly as it can be written, over `lines` of `step` apart. */
function pass(data: Uint8Array, axis: Axis, filter: Filter, layout: { lines: number[]; step: number }): Uint8Array {
  const taps = antialiasedTaps(axis, filter);
  const out = new Uint8Array(layout.lines.length * axis.count);
  for (const [l, start] of layout.lines.entries()) {
    for (let i = 0; i < axis.count; i++) {
      let sum = 2 ** 21;
      for (let k = 0; k < taps.count[i]!; k++) {
        const weight = taps.weights[i * taps.stride + k]! * 2 ** 22;
        const whole = weight < 0 ? Math.ceil(weight - 0.5) : Math.floor(weight + 0.5);
        sum += whole * data[start + (taps.first[i]! + k) * layout.step]!;
      }
      out[l * axis.count + i] = Math.min(255, Math.max(0, Math.floor(sum / 2 ** 22)));
    }
  }
  return out;
}

/** The whole picture resized, then cropped: both passes always, which for equal sizes changes nothing. */
function plainResize({ width, height, channels, data }: Pixels, size: number, filter: Filter): Uint8Array {
  const fit = shortestThenCrop(width, height, { size });
  const across = { input: width, output: fit.fullWidth, from: 0, count: fit.fullWidth };
  const down = { input: height, output: fit.fullHeight, from: 0, count: fit.fullHeight };
  const out = new Uint8Array(size * size * channels);
  for (let c = 0; c < channels; c++) {
    const rows = Array.from({ length: height }, (_, y) => y * width * channels + c);
    const wide = pass(data, across, filter, { lines: rows, step: channels });
    const columns = Array.from({ length: fit.fullWidth }, (_, x) => x);
    const tall = pass(wide, down, filter, { lines: columns, step: fit.fullWidth });
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        out[(y * size + x) * channels + c] = tall[(x + fit.left) * fit.fullHeight + y + fit.top]!;
      }
    }
  }
  return out;
}

const picture = (width: number, height: number, channels: 1 | 3, seed = 1): Pixels => {
  const random = seeded(seed);
  // Extremes, because overshoot must be clipped.
  const value = (): number => (random() < 0.5 ? (random() < 0.5 ? 0 : 255) : random() * 256);
  return { width, height, channels, data: Uint8Array.from({ length: width * height * channels }, value) };
};

describe("resize", () => {
  test("equals the plain arithmetic in every byte, whatever the sizes, channels and filter", () => {
    const side = fc.integer({ min: 1, max: 90 });
    fc.assert(
      fc.property(
        side,
        side,
        fc.constantFrom(1, 3),
        fc.constantFrom("bicubic", "bilinear"),
        fc.integer({ min: 1, max: 40 }),
        (width, height, channels, filter, size) => {
          const pixels = picture(width, height, channels as 1 | 3, width * 91 + height);
          const fit = shortestThenCrop(width, height, { size });
          expect(resize(pixels, fit, filter as Filter)).toEqual(plainResize(pixels, size, filter as Filter));
        },
      ),
      { numRuns: 150 },
    );
  });

  test("a picture larger than what is in memory at once has no seams", () => {
    const pixels = picture(2200, 1500, 3);
    const fit = shortestThenCrop(2200, 1500, { size: 32 });
    expect(resize(pixels, fit, "bicubic")).toEqual(plainResize(pixels, 32, "bicubic"));
  });

  test("a line of pixels becomes a square without the whole of its 112,000 columns", () => {
    const pixels = picture(500, 1, 3);
    expect(resize(pixels, shortestThenCrop(500, 1, { size: 224 }), "bicubic")).toHaveLength(224 * 224 * 3);
  });

  test("a grey picture gives in one channel what it gives in three", () => {
    const grey = picture(61, 47, 1);
    const rgb: Pixels = {
      ...grey,
      channels: 3,
      data: Uint8Array.from({ length: 61 * 47 * 3 }, (_, i) => grey.data[Math.floor(i / 3)]!),
    };
    const three = resize(rgb, stretch(24), "bicubic");
    expect(resize(grey, stretch(24), "bicubic")).toEqual(three.filter((_, i) => i % 3 === 0));
  });
});

describe("resampleSinc", () => {
  /** torchaudio's formula (PARITY A4.2) over every tap. */
  function plain(input: Float32Array, orig: number, next: number): number[] {
    const base = 0.99 * Math.min(orig, next);
    const width = Math.ceil((6 * orig) / base);
    return Array.from({ length: Math.ceil((next * input.length) / orig) }, (_, n) => {
      const [q, p] = [Math.floor(n / next), n % next];
      let sum = 0;
      for (let i = -width; i < width + orig; i++) {
        const t = Math.min(6, Math.max(-6, (-p / next + i / orig) * base));
        sum += ((hannSinc(t, 6) * base) / orig) * (input[q * orig + i] ?? 0);
      }
      return sum;
    });
  }

  test.each([
    [3, 2],
    [2, 3],
    [1, 4],
    [7, 1],
    [147, 160],
    [160, 147],
    [11, 13],
  ])("%i to %i is the formula", (orig, next) => {
    const random = seeded(orig * 1000 + next);
    const input = Float32Array.from({ length: 500 }, () => random() - 0.5);
    const out = resampleSinc(input, { from: orig * 100, to: next * 100 });
    const expected = plain(input, orig, next);
    expect(out).toHaveLength(expected.length);
    for (const [i, value] of expected.entries()) expect(out[i]).toBeCloseTo(value, 6);
  });

  test("a sound longer than one call of the kernel has no seams", () => {
    const input = Float32Array.from({ length: 700_000 }, (_, i) => Math.sin(i / 50));
    const out = resampleSinc(input, { from: 32_000, to: 16_000 });
    expect(out).toHaveLength(350_000);
    for (let n = 100; n < out.length - 100; n++) expect(Math.abs(out[n]! - Math.sin(n / 25))).toBeLessThan(2e-3);
  });

  test.each([0, 1, 2, 3])("%i samples are no trouble", (length) => {
    expect(resampleSinc(new Float32Array(length).fill(0.5), { from: 44_100, to: 16_000 })).toHaveLength(
      Math.ceil((length * 160) / 441),
    );
  });
});

describe("fbank", () => {
  /** PARITY A4.5 with a plain discrete Fourier transform. */
  function plain(samples: Float32Array, rate: number, bins: number): number[][] {
    const length = Math.round(rate / 40);
    const size = 2 ** Math.ceil(Math.log2(length));
    const window = hann(length);
    const { first, count, weights } = melBank({ rate, rows: bins, bins: size / 2 });
    const frames = 1 + Math.floor((samples.length - length) / Math.round(rate / 100));
    return Array.from({ length: frames }, (_, f) => {
      const raw = Array.from(samples.subarray(f * Math.round(rate / 100), f * Math.round(rate / 100) + length));
      const mean = raw.reduce((a, b) => a + b, 0) / length;
      const x = raw.map((value, i) => (value - mean - 0.97 * (raw[Math.max(0, i - 1)]! - mean)) * window[i]!);
      const power = Array.from({ length: size / 2 }, (_, k) => {
        let [re, im] = [0, 0];
        for (const [i, value] of x.entries()) {
          re += value * Math.cos((2 * Math.PI * k * i) / size);
          im -= value * Math.sin((2 * Math.PI * k * i) / size);
        }
        return re * re + im * im;
      });
      let w = 0;
      return Array.from({ length: bins }, (_, r) => {
        let energy = 0;
        for (let k = 0; k < count[r]!; k++) energy += weights[w++]! * power[first[r]! + k]!;
        return Math.log(Math.max(energy, 2 ** -23));
      });
    });
  }

  test.each([
    [16_000, 128],
    [8_000, 64],
    [22_050, 80],
    [48_000, 128],
  ])("at %i Hz with %i bins is the definition", (rate, bins) => {
    const random = seeded(rate);
    const samples = Float32Array.from({ length: Math.round(rate * 0.057) }, (_, i) => random() - 0.5 + Math.sin(i / 7));
    const { frames, data } = fbank(samples, { rate, bins });
    const expected = plain(samples, rate, bins);
    expect(frames).toBe(expected.length);
    for (const [f, row] of expected.entries()) {
      for (const [r, value] of row.entries()) expect(data[r * frames + f]).toBeCloseTo(value, 5);
    }
  });

  test("less than a frame is BAD_AUDIO, with what to give", () => {
    expect(() => fbank(new Float32Array(399), { rate: 16_000, bins: 128 })).toThrow(
      expect.objectContaining({ code: "BAD_AUDIO", hint: expect.stringContaining("25 ms") }),
    );
  });
});
