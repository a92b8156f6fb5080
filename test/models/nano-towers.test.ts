import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cosine, normalize, type UnitVector } from "../../src/core/embedding.js";
import { gaussian, seeded } from "../../src/core/random.js";
import { tensor } from "../../src/core/tensor.js";
import { type Graph, loadGraph } from "../../src/encoder/onnxruntime.js";

const file = (name: string): string => fileURLToPath(new URL(`../../models/nano/${name}`, import.meta.url));

interface Shape {
  readonly input: string;
  readonly dims: readonly number[];
}

/** Unit vectors of several windows in one run. */
async function vectorsOf(
  graph: Graph,
  { input, dims }: Shape,
  windows: readonly Float32Array[],
): Promise<UnitVector[]> {
  const data = new Float32Array(windows.reduce((size, window) => size + window.length, 0));
  for (const [i, window] of windows.entries()) data.set(window, i * window.length);
  const { embedding } = await graph.run({ [input]: tensor([windows.length, ...dims], data) });
  const dim = embedding!.dims[1]!;
  return windows.map((_, i) => normalize((embedding!.data as Float32Array).subarray(i * dim, (i + 1) * dim)));
}

describe("the IMU tower of nano", () => {
  const shape = { input: "imu", dims: [6, 400] };
  let graph: Graph;
  beforeAll(async () => {
    graph = await loadGraph(file("imu.onnx"), {});
  });
  afterAll(() => graph.release());

  /** Walking on the spot with gravity along y. */
  function motion(random: () => number): Float32Array {
    const [hz, bounce] = [1 + random(), 1 + 4 * random()];
    return Float32Array.from({ length: 6 * 400 }, (_, i) => {
      const [channel, t] = [Math.floor(i / 400), (i % 400) / 50];
      const swing = bounce * Math.sin(2 * Math.PI * hz * t + channel);
      return channel < 3 ? (channel === 1 ? 9.81 + swing : 0.3 * swing) + 0.1 * gaussian(random) : 0.2 * swing;
    });
  }

  test("the mounting of the sensor makes no difference", async () => {
    const axes = fc.tuple(
      fc.double({ min: -1, max: 1, noNaN: true }),
      fc.double({ min: 0, max: 6, noNaN: true }),
      fc.integer(),
    );
    await fc.assert(
      fc.asyncProperty(axes, async ([z, heading, seed]) => {
        const window = motion(seeded(seed));
        // Rodrigues: turned by 2 rad about a random axis.
        const flat = Math.sqrt(1 - z * z);
        const axis = [flat * Math.cos(heading), flat * Math.sin(heading), z];
        const turned = window.slice();
        for (let t = 0; t < 400; t++)
          for (const part of [0, 3]) {
            const v = [0, 1, 2].map((c) => window[(part + c) * 400 + t]!);
            const along = axis.reduce((sum, a, c) => sum + a * v[c]!, 0);
            for (let c = 0; c < 3; c++) {
              const cross = axis[(c + 1) % 3]! * v[(c + 2) % 3]! - axis[(c + 2) % 3]! * v[(c + 1) % 3]!;
              turned[(part + c) * 400 + t] =
                v[c]! * Math.cos(2) + cross * Math.sin(2) + axis[c]! * along * (1 - Math.cos(2));
            }
          }
        const [before, after] = (await vectorsOf(graph, shape, [window, turned])) as [UnitVector, UnitVector];
        expect(cosine(before, after)).toBeGreaterThan(0.999);
      }),
      { numRuns: 30 },
    );
  });

  test("a window of zeros and one at the sensor's limits have a direction", async () => {
    const limits = Float32Array.from({ length: 2400 }, (_, i) => (i % 2 ? 156 : -156));
    for (const vector of await vectorsOf(graph, shape, [new Float32Array(2400), limits]))
      expect(vector.every(Number.isFinite)).toBe(true);
  });
});

describe("the audio tower of nano", () => {
  const shape = { input: "waveform", dims: [32000] };
  let graph: Graph;
  beforeAll(async () => {
    graph = await loadGraph(file("audio.onnx"), {});
  });
  afterAll(() => graph.release());

  const chirp = Float32Array.from(
    { length: 32000 },
    (_, i) => 0.5 * Math.sin(i * (0.05 + i * 4e-6)) * Math.sin(i * 1e-3),
  );

  test("a sound is the same at a tenth of its level", async () => {
    const [loud, quiet] = (await vectorsOf(graph, shape, [chirp, chirp.map((x) => x / 10)])) as [
      UnitVector,
      UnitVector,
    ];
    expect(cosine(loud, quiet)).toBeGreaterThan(0.9999);
  });

  test("other sounds in the batch make no difference", async () => {
    const [alone] = (await vectorsOf(graph, shape, [chirp])) as [UnitVector];
    const [, among] = (await vectorsOf(graph, shape, [new Float32Array(32000), chirp])) as [UnitVector, UnitVector];
    expect(cosine(alone, among)).toBeGreaterThan(0.9999);
  });

  test("digital silence and full-scale square waves have a direction", async () => {
    const square = Float32Array.from({ length: 32000 }, (_, i) => (Math.floor(i / 20) % 2 ? 0.999 : -1));
    for (const vector of await vectorsOf(graph, shape, [new Float32Array(32000), square]))
      expect(vector.every(Number.isFinite)).toBe(true);
  });
});
