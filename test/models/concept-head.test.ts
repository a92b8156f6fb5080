import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { addConceptHead, applyConceptHead, type Example, fitConceptHead } from "../../models/build/concept-head.js";
import { apart } from "../../models/build/contrast.js";
import { spaceDims } from "../../models/build/nano-space.js";
import { ridge } from "../../models/build/ridge.js";
import { sounds, synthesise } from "../../models/build/sounds.js";
import { cosine, normalize, type UnitVector } from "../../src/core/embedding.js";
import { gaussian, seeded } from "../../src/core/random.js";
import { tensor } from "../../src/core/tensor.js";
import { loadGraph } from "../../src/encoder/onnxruntime.js";
import { saveModel } from "../../src/onnx/file.js";
import { graph } from "../../src/onnx/graph.js";

const axis = (i: number): UnitVector =>
  normalize(Float32Array.from({ length: spaceDims }, (_, d) => (d === i ? 1 : 0)));

/** Three clouds of points around corners of a cube, as training windows of three concepts. */
function clouds(random: () => number): Example[] {
  return Array.from({ length: 300 }, (_, i) => ({
    concept: i % 3,
    weight: 1,
    features: Float32Array.from({ length: 5 }, (_, f) => (f === i % 3 ? 3 : 0) + 0.5 * gaussian(random)),
  }));
}

const head = fitConceptHead(clouds(seeded(1)), {
  vectors: [axis(0), axis(1), axis(2)],
  lambda: 1,
  sharpness: 12,
  balance: 1,
});

test("ridge regression without a penalty finds the linear map that made the targets", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = seeded(seed);
      const [rows, width] = [40, 4];
      const slope = Array.from({ length: width }, () => gaussian(random));
      const inputs = Float64Array.from({ length: rows * width }, (_, i) =>
        i % width === width - 1 ? 1 : gaussian(random),
      );
      const targets = Float64Array.from({ length: rows }, (_, r) =>
        slope.reduce((sum, b, c) => sum + b * inputs[r * width + c]!, 0),
      );
      const found = ridge(
        { width, data: inputs },
        { width: 1, data: targets },
        { lambda: 0, weights: new Float64Array(rows).fill(1) },
      );
      for (const [c, b] of slope.entries()) expect(found.data[c]).toBeCloseTo(b, 5);
    }),
    { numRuns: 30 },
  );
});

test("vectors that are kept apart have no more than the cap in common with other concepts' words, and most with their own", () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const random = seeded(seed);
      // Words that share a direction, as animals do: cosines of about 0.5.
      const words = Array.from({ length: 6 }, (_, i) =>
        normalize(
          Float32Array.from(
            { length: 40 },
            (_, d) => (d === 0 ? 5 : 0) + (d === i + 1 ? 4 : 0) + 0.5 * gaussian(random),
          ),
        ),
      );
      const moved = apart(
        words,
        words.map((word) => [word]),
        { cap: 0.1 },
      );
      for (const [i, vector] of moved.entries()) {
        const cosines = words.map((word) => cosine(word, vector));
        expect(Math.max(...cosines.filter((_, j) => j !== i))).toBeLessThan(0.12);
        expect(cosines[i]).toBeGreaterThan(0.4);
      }
    }),
    { numRuns: 30 },
  );
});

test("windows of a concept come out nearest to its words", () => {
  for (const { concept, features } of clouds(seeded(2))) {
    const cosines = head.vectors.map((vector) => cosine(vector, applyConceptHead(head, features)));
    expect(cosines.indexOf(Math.max(...cosines))).toBe(concept);
  }
});

test("the graph that is shipped says to words what the head that was measured says, and keeps apart what words do not", async () => {
  const g = graph();
  g.output("embedding", addConceptHead(g, g.input("features", "float32", ["batch", 5]), head));
  const path = join(await mkdtemp(join(tmpdir(), "head-")), "head.onnx");
  await saveModel(g, path);
  const session = await loadGraph(path, {});
  const examples = clouds(seeded(3)).slice(0, 20);
  const batch = Float32Array.from(examples.flatMap(({ features }) => [...features]));
  const { embedding } = await session.run({ features: tensor([examples.length, 5], batch) });
  const vectors = examples.map((_, i) =>
    normalize((embedding!.data as Float32Array).subarray(i * spaceDims, (i + 1) * spaceDims)),
  );
  for (const [i, { features }] of examples.entries()) {
    const measured = applyConceptHead(head, features);
    for (const word of head.vectors) expect(cosine(word, vectors[i]!)).toBeCloseTo(cosine(word, measured), 5);
  }
  expect(cosine(vectors[0]!, vectors[3]!)).toBeLessThan(0.9999);
  await session.release();
});

test("every sound of the physical models is finite, within full scale, and the same again from the same seed", () => {
  for (const name of Object.keys(sounds) as (keyof typeof sounds)[]) {
    const sound = synthesise(name, seeded(5), 16000);
    expect(
      sound.every((x) => Math.abs(x) <= 1),
      name,
    ).toBe(true);
    expect(synthesise(name, seeded(5), 16000)).toEqual(sound);
  }
});
