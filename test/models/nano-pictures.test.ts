import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type OpenBundle, openBundle } from "../../models/build/bundle-runner.js";
import { cosine, normalize, type UnitVector } from "../../src/core/embedding.js";
import { seeded } from "../../src/core/random.js";
import { tensor } from "../../src/core/tensor.js";
import { type Graph, loadGraph } from "../../src/encoder/onnxruntime.js";

const folder = fileURLToPath(new URL("../../models/nano", import.meta.url));
const side = 224;
const plane = side * side;

/** A dark ground with bright bars at random places: something with a layout. */
function bars(seed: number): Float32Array {
  const random = seeded(seed);
  const out = new Float32Array(plane).fill(0.2);
  for (let bar = 0; bar < 6; bar++) {
    const [x, y] = [Math.floor(random() * 180), Math.floor(random() * 180)];
    const [width, height] = random() < 0.5 ? [40, 8] : [8, 40];
    for (let i = y; i < y + height; i++) out.fill(0.8, i * side + x, i * side + x + width);
  }
  return out;
}

const asCamera = (grey: Float32Array): Float32Array => {
  const one = grey.map((value) => (value - 127 / 255) / (128 / 255));
  const out = new Float32Array(3 * plane);
  for (let c = 0; c < 3; c++) out.set(one, c * plane);
  return out;
};

async function vectorsOf(graph: Graph, channels: number, pictures: readonly Float32Array[]): Promise<UnitVector[]> {
  const data = new Float32Array(pictures.length * channels * plane);
  for (const [i, picture] of pictures.entries()) data.set(picture, i * channels * plane);
  const { embedding } = await graph.run({ pixels: tensor([pictures.length, channels, side, side], data) });
  const dim = embedding!.dims[1]!;
  return pictures.map((_, i) => normalize((embedding!.data as Float32Array).subarray(i * dim, (i + 1) * dim)));
}

describe("the picture towers of nano", () => {
  let towers: { vision: Graph; thermal: Graph; depth: Graph };
  beforeAll(async () => {
    const load = (name: string): Promise<Graph> => loadGraph(`${folder}/${name}.onnx`, {});
    towers = { vision: await load("vision"), thermal: await load("thermal"), depth: await load("depth") };
  });
  afterAll(() => Promise.all(Object.values(towers).map((graph) => graph.release())));

  test.each(["thermal", "depth"] as const)(
    "what %s sees is nearest to the camera's picture of the same outlines",
    async (name) => {
      const seeds = [1, 2, 3, 4, 5, 6];
      const cameras = await vectorsOf(
        towers.vision,
        3,
        seeds.map((seed) => asCamera(bars(seed))),
      );
      // Bright and dark change places: in the infrared, or in depth, they need not agree with the visible.
      const others = await vectorsOf(
        towers[name],
        1,
        seeds.map((seed) => bars(seed).map((value) => 1 - value)),
      );
      for (const [i, other] of others.entries()) {
        const cosines = cameras.map((camera) => cosine(other, camera));
        expect(cosines.indexOf(Math.max(...cosines))).toBe(i);
      }
    },
  );

  test.each(["vision", "thermal", "depth"] as const)(
    "a picture of one grey gives %s a vector, not NaN",
    async (name) => {
      const channels = name === "vision" ? 3 : 1;
      const blank = [0, 0.5, 1].map((value) => new Float32Array(channels * plane).fill(value));
      for (const vector of await vectorsOf(towers[name], channels, blank))
        expect(cosine(vector, vector)).toBeCloseTo(1, 5);
    },
  );

  test("what else is in the batch does not change a picture's vector", async () => {
    const pictures = [asCamera(bars(1)), asCamera(bars(2)), asCamera(bars(3))];
    const together = await vectorsOf(towers.vision, 3, pictures);
    for (const [i, picture] of pictures.entries()) {
      const [alone] = await vectorsOf(towers.vision, 3, [picture]);
      expect(cosine(alone!, together[i]!)).toBeGreaterThan(0.99999);
    }
  });
});

describe("the text tower of nano", () => {
  let bundle: OpenBundle;
  beforeAll(async () => {
    bundle = await openBundle(folder);
  });

  test("synonyms are close and unrelated words are not", async () => {
    const [car, automobile, puppy, dog, teapot] = await bundle.texts(["car", "automobile", "puppy", "dog", "teapot"]);
    expect(cosine(car!, automobile!)).toBeGreaterThan(0.7);
    expect(cosine(puppy!, dog!)).toBeGreaterThan(0.6);
    expect(cosine(car!, teapot!)).toBeLessThan(0.3);
  });

  test("words say nothing about layout", async () => {
    const [vector] = await bundle.texts(["a dog on a lawn"]);
    expect(Math.hypot(...vector!.subarray(384))).toBe(0);
  });

  test("what else is in the batch does not change a text's vector", async () => {
    const long = "a person in a red coat walks a small dog along the street at night";
    const [alone] = await bundle.texts(["fire"]);
    const [together] = await bundle.texts(["fire", long]);
    expect(cosine(alone!, together!)).toBeGreaterThan(0.99999);
  });
});
