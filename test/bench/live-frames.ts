/**
 * How far a camera's embeddings move when its JPEGs are shrunk while they are decoded, and what that saves, on collages of photos:
 * `npx tsx test/bench/live-frames.ts <folder of photos> [vision.onnx]`.
 */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import sharp from "sharp";
import { visionRecipe } from "../../models/build/pictures.js";
import { seeded } from "../../src/core/random.js";
import type { Tensor } from "../../src/core/tensor.js";
import { micros } from "../../src/core/time.js";
import { decodeImage, toRgb } from "../../src/device/decode/sharp.js";
import { loadGraph } from "../../src/encoder/onnxruntime.js";
import { liveSide, visionTensor } from "../../src/window/vision.js";

sharp.concurrency(1);
const [folder, model = "models/nano/vision.onnx"] = process.argv.slice(2);
if (folder === undefined) throw new Error("name a folder of photos");
const photos = readdirSync(folder).filter((file) => /\.jpe?g$/i.test(file));
const random = seeded(1);
const encoder = await loadGraph(model, { threads: 1 });

/** One photo, or six side by side: finer detail than a photo of that size has. */
async function scene(width: number, height: number, tiles: number): Promise<Buffer> {
  const columns = tiles === 1 ? 1 : 3;
  const size = { width: Math.ceil(width / columns), height: Math.ceil((height * columns) / tiles) };
  const parts = Array.from({ length: tiles }, async (_, i) => ({
    input: await sharp(join(folder!, photos[Math.floor(random() * photos.length)]!))
      .resize(size.width, size.height, { fit: "cover" })
      .toBuffer(),
    left: Math.min((i % columns) * size.width, width - size.width),
    top: Math.min(Math.floor(i / columns) * size.height, height - size.height),
  }));
  const canvas = sharp({ create: { width, height, channels: 3, background: "black" } });
  return canvas
    .composite(await Promise.all(parts))
    .jpeg({ quality: 88 })
    .toBuffer();
}

async function tensorOf(jpeg: Buffer, atLeast?: number): Promise<Tensor<Float32Array>> {
  const picture = await decodeImage(jpeg, { atLeast });
  const { width, height } = picture;
  const data = toRgb(picture);
  return visionTensor(
    { kind: "frame", modality: "vision", format: "rgb8", time: micros(0), width, height, data },
    visionRecipe,
  );
}

async function timed(jpeg: Buffer, atLeast?: number): Promise<{ tensor: Tensor<Float32Array>; ms: number }> {
  let ms = Number.POSITIVE_INFINITY;
  let tensor = await tensorOf(jpeg, atLeast);
  for (let i = 0; i < 5; i++) {
    const start = performance.now();
    tensor = await tensorOf(jpeg, atLeast);
    ms = Math.min(ms, performance.now() - start);
  }
  return { tensor, ms };
}

async function embed(pixels: Tensor<Float32Array>): Promise<Float32Array> {
  const { [encoder.outputs[0]!]: out } = await encoder.run({ [visionRecipe.input]: pixels });
  return out!.data as Float32Array;
}

function cosine(a: Float32Array, b: Float32Array): number {
  const dot = (x: Float32Array, y: Float32Array): number => x.reduce((sum, value, i) => sum + value * y[i]!, 0);
  return dot(a, b) / Math.sqrt(dot(a, a) * dot(b, b));
}

for (const [width, height] of [
  [1280, 720],
  [1920, 1080],
  [3840, 2160],
] as const) {
  const cosines: number[] = [];
  const times = { exact: [] as number[], live: [] as number[] };
  for (let n = 0; n < 24; n++) {
    const jpeg = await scene(width, height, n % 2 === 0 ? 1 : 6);
    const exact = await timed(jpeg);
    const live = await timed(jpeg, liveSide(visionRecipe));
    cosines.push(cosine(await embed(exact.tensor), await embed(live.tensor)));
    times.exact.push(exact.ms);
    times.live.push(live.ms);
  }
  const median = (values: number[]): string => values.sort((a, b) => a - b)[values.length >> 1]!.toFixed(5);
  const ms = `${Number(median(times.exact)).toFixed(1)} to ${Number(median(times.live)).toFixed(1)} ms`;
  console.log(`${width}x${height}: cosine median ${median(cosines)}, least ${cosines[0]!.toFixed(5)}; ${ms}`);
}
await encoder.release();
