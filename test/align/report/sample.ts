import type { CalibrationFacts } from "../../../src/align/report/facts.js";
import { gaussian, seeded } from "../../../src/core/random.js";
import { micros } from "../../../src/core/time.js";

const random = seeded(1);
const start = 1_767_254_400_000_000;

/** Facts of a calibration as they could be; the shapes of the curves are made up. */
export const sample: CalibrationFacts = {
  sensor: "gas0",
  camera: "cam0",
  bundle: { id: "nano+gas0", base: "nano", space: "nano-1/5d41402abc4b2a76" },
  trained: "A transformer of 0.4 M weights over 8 channels, from scratch",
  span: { from: micros(start), to: micros(start + 1180e6) },
  pairs: { train: 412, heldOut: 104, scenes: 46, left: ["12 windows held NaN", "84 pairs repeated a scene"] },
  recall: {
    before: { at1: 0.01, at5: 0.06, medianRank: 51, n: 104 },
    after: { at1: 0.413, at5: 0.788, medianRank: 2, n: 104 },
    back: { at1: 0.39, at5: 0.75, medianRank: 2, n: 104 },
    chance: { at1: 1 / 104, at5: 5 / 104 },
  },
  looks: Array.from({ length: 40 }, (_, i) => ({
    step: i + 1,
    loss: 4.6 * Math.exp(-i / 14) + 0.3 + 0.1 * random(),
    heldOutLoss: 4.6 * Math.exp(-i / 18) + 0.9 + 0.15 * random(),
    recall: { at1: 0.42 * (1 - Math.exp(-i / 9)), at5: 0.8 * (1 - Math.exp(-i / 7)) },
  })),
  best: 36,
  similarity: Array.from({ length: 104 }, (_, i) =>
    Float32Array.from(
      { length: 104 },
      (_, j) => (i >> 3 === j >> 3 ? 0.7 : (i >> 3) % 5 === (j >> 3) % 5 ? 0.5 : 0.1) + 0.06 * gaussian(random),
    ),
  ),
  worst: [
    { time: micros(start + 1009e6), rank: 61, cosine: 0.12, camera: "frying", sensor: undefined },
    { time: micros(start + 1121e6), rank: 40, cosine: 0.21, sensor: "gas_leak" },
  ],
  answers: [
    {
      concept: "gas_leak",
      words: ["a gas leak"],
      camera: 20,
      sensor: 19,
      both: 18,
      cosineWith: 0.31,
      cosineWithout: 0.02,
    },
    {
      concept: "frying",
      words: ["frying", "frying food"],
      camera: 24,
      sensor: 30,
      both: 22,
      cosineWith: 0.42,
      cosineWithout: 0.05,
    },
    { concept: "fire", words: ["a fire"], camera: 0, sensor: 0, both: 0, cosineWithout: 0.01 },
  ],
  verdict: {
    installed: true,
    reason: "held-out recall@1 of 41.3 % beats chance (1 %) and the encoder before it (1 %)",
  },
  seconds: 74.2,
  seed: 1,
};
