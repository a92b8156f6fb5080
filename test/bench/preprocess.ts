/**
 * Times of preprocessing on one thread, decoding included: `npx tsx test/bench/preprocess.ts`.
 * Against the original on one torch thread: 10 s mono WAV to three clips 2.0 ms, 1280x720 JPEG to tensor 8.9 ms.
 */
import sharp from "sharp";
import { imagebindRecipes } from "../../src/core/imagebind.js";
import { gaussian, seeded } from "../../src/core/random.js";
import { micros } from "../../src/core/time.js";
import { decodeImage } from "../../src/device/decode/sharp.js";
import { decodeWav } from "../../src/device/decode/wav.js";
import { fileClips } from "../../src/window/preprocess.js";

sharp.concurrency(1);

const random = seeded(1);

/** A PCM16 WAV file of noise. */
function wav(seconds: number, rate: number): Uint8Array {
  const samples = Int16Array.from({ length: seconds * rate }, () =>
    Math.max(-32768, Math.min(32767, 6000 * gaussian(random))),
  );
  const header = Buffer.alloc(44);
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + samples.byteLength, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(rate, 24);
  header.writeUInt32LE(rate * 2, 28);
  header.writeUInt16LE(2, 32);
  header.writeUInt16LE(16, 34);
  header.write("data", 36);
  header.writeUInt32LE(samples.byteLength, 40);
  return Buffer.concat([header, Buffer.from(samples.buffer)]);
}

/** A 4:2:0 JPEG of blurred noise: about as many bytes as a photo. */
async function jpeg(width: number, height: number): Promise<Uint8Array> {
  const data = Uint8Array.from({ length: width * height * 3 }, () => random() * 256);
  return sharp(data, { raw: { width, height, channels: 3 } })
    .blur(1.2)
    .jpeg({ quality: 85 })
    .toBuffer();
}

async function clipsOfWav(bytes: Uint8Array): Promise<void> {
  const { rate, channels, data } = decodeWav(bytes);
  const names = Array.from({ length: channels }, (_, c) => `c${c}`);
  fileClips(imagebindRecipes.audio, { kind: "block", modality: "audio", time: micros(0), channels: names, rate, data });
}

async function tensorOfJpeg(bytes: Uint8Array): Promise<void> {
  const { width, height, data } = await decodeImage(bytes);
  fileClips(imagebindRecipes.vision, {
    kind: "frame",
    modality: "vision",
    format: "rgb8",
    time: micros(0),
    width,
    height,
    data: data as Uint8Array,
  });
}

/** CPU time of all threads counts: a decoder must not hide behind a second core. */
async function measure(name: string, target: string, run: () => Promise<void>): Promise<void> {
  for (let i = 0; i < 60; i++) await run();
  const wall: number[] = [];
  const cpu: number[] = [];
  for (let i = 0; i < 200; i++) {
    const before = process.cpuUsage();
    const start = performance.now();
    await run();
    wall.push(performance.now() - start);
    const { user, system } = process.cpuUsage(before);
    cpu.push((user + system) / 1e3);
  }
  const median = (values: number[]): string => values.sort((a, b) => a - b)[values.length >> 1]!.toFixed(2);
  console.log(
    `${name}: median ${median(wall)} ms, least ${wall[0]!.toFixed(2)} ms, CPU ${median(cpu)} ms (target ${target})`,
  );
}

const sound = wav(10, 16_000);
const music = wav(10, 44_100);
const photo = await jpeg(1280, 720);
await measure("10 s mono WAV, 16 kHz, to 3 clips", "2.0 ms", () => clipsOfWav(sound));
await measure("10 s mono WAV, 44.1 kHz, to 3 clips", "none", () => clipsOfWav(music));
await measure(`1280x720 JPEG of ${photo.length} bytes, to tensor`, "8.9 ms", () => tensorOfJpeg(photo));
await measure("of which decoding", "none", async () => void (await decodeImage(photo)));
