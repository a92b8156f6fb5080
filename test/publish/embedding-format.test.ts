import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cosine, type Embedding, normalize } from "../../src/core/embedding.js";
import { modalities } from "../../src/core/modality.js";
import { gaussian, seeded } from "../../src/core/random.js";
import { micros } from "../../src/core/time.js";
import { decodeEmbedding, dtypes, encodeEmbedding } from "../../src/publish/embedding-format.js";

const spaceTag = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 255]);

const embedding = fc.record({
  sensor: fc.constant("cam0"),
  space: fc.constant("test:0000"),
  modality: fc.constantFrom(...modalities),
  seq: fc.nat(2 ** 32 - 1),
  from: fc.maxSafeNat().map(micros),
  to: fc.maxSafeNat().map(micros),
  vector: fc
    .float32Array({ minLength: 1, maxLength: 300, noNaN: true, noDefaultInfinity: true, min: -1, max: 1 })
    .filter((values) => Math.hypot(...values) > 1e-3)
    .map(normalize),
});

describe("a binary embedding", () => {
  it("comes back as it was, float32 to the bit, the others within their rounding", () => {
    fc.assert(
      fc.property(embedding, fc.constantFrom(...dtypes), (sent, dtype) => {
        const got = decodeEmbedding(encodeEmbedding(sent, { dtype, spaceTag }));
        const { sensor: _, space: __, vector, ...rest } = sent;
        expect(got).toMatchObject({ ...rest, dtype, spaceTag: "01020304050607ff" });
        const largest = vector.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
        const tolerance = { float32: 0, float16: 2 ** -12 + 2 ** -25, int8: largest / 253 }[dtype];
        for (const [i, value] of vector.entries())
          expect(Math.abs(got.vector[i]! - value)).toBeLessThanOrEqual(tolerance);
      }),
    );
  });

  it.each([
    ["float16", 4.5e-8],
    ["int8", 7.7e-5],
  ] as const)("%s costs no more than docs/mqtt.md says", (dtype, most) => {
    const random = seeded(1);
    for (const dim of [96, 384, 512, 1024]) {
      for (let i = 0; i < 500; i++) {
        const vector = normalize(Float32Array.from({ length: dim }, () => gaussian(random)));
        const sent: Embedding = {
          sensor: "a",
          modality: "audio",
          seq: 0,
          from: micros(0),
          to: micros(0),
          space: "s",
          vector,
        };
        const got = decodeEmbedding(encodeEmbedding(sent, { dtype, spaceTag })).vector;
        const length = Math.sqrt(got.reduce((sum, value) => sum + value * value, 0));
        // Not `normalize`: its rounding to float32 would hide what is measured here.
        const loss =
          1 - vector.reduce((sum, value, k) => sum + value * got[k]!, 0) / length / Math.sqrt(cosine(vector, vector));
        expect(loss).toBeLessThanOrEqual(most);
      }
    }
  });

  it("anything else is refused with a code", () => {
    const good = encodeEmbedding(fc.sample(embedding, 1)[0]!, { dtype: "float32", spaceTag });
    const change = (at: number, value: number) => Uint8Array.from(good, (byte, i) => (i === at ? value : byte));
    const bad = [
      new Uint8Array(0),
      good.subarray(0, 39),
      good.subarray(0, good.length - 1),
      change(0, 0),
      change(4, 3),
      change(5, 9),
    ];
    for (const bytes of bad)
      expect(() => decodeEmbedding(bytes)).toThrow(expect.objectContaining({ code: "BAD_MESSAGE" }));
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          decodeEmbedding(bytes);
        } catch (error) {
          expect(error).toMatchObject({ code: "BAD_MESSAGE" });
        }
      }),
    );
  });
});
