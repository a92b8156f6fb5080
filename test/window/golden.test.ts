import { describe, expect, test } from "vitest";
import { imagebindRecipes } from "../../src/core/imagebind.js";
import type { Block, Frame } from "../../src/core/reading.js";
import { hz, micros } from "../../src/core/time.js";
import { readAudio } from "../../src/device/decode/audio.js";
import { readImage, toRgb } from "../../src/device/decode/sharp.js";
import { clipTimes } from "../../src/window/clip-times.js";
import { represent } from "../../src/window/depth.js";
import { fbank, hann } from "../../src/window/fbank.js";
import { melBank } from "../../src/window/mel.js";
import { fileClips, videoClips } from "../../src/window/preprocess.js";
import { times, trunc } from "../../src/window/rational.js";
import { resampleSinc } from "../../src/window/resample.js";
import { clipFrames, hasVideo } from "../../src/window/video.js";
import { fitted } from "../../src/window/vision.js";
import { distance, goldenJson, goldenPath, goldenTensor, hasGolden } from "../support/golden.js";

const recipes = imagebindRecipes;
const floats = (...parts: string[]): Float32Array => goldenTensor(...parts).data as Float32Array;

const rgbFrame = (width: number, height: number, data: Uint8Array): Frame => ({
  kind: "frame",
  modality: "vision",
  format: "rgb8",
  time: micros(0),
  width,
  height,
  data,
});

interface VisionCase {
  readonly id: string;
  readonly file: string;
  readonly output: string;
  readonly resized_cropped_u8: string;
  readonly decoded_rgb?: string;
}

describe.for(goldenJson<VisionCase[]>("vision/manifest.json", []))("vision $id", (entry) => {
  const input = async (): Promise<Frame> => {
    if (entry.decoded_rgb === undefined) {
      const picture = await readImage(goldenPath("vision", entry.file));
      return rgbFrame(picture.width, picture.height, toRgb(picture));
    }
    const { dims, data } = goldenTensor("vision", entry.decoded_rgb);
    return rgbFrame(dims[1]!, dims[0]!, data as Uint8Array);
  };

  test("every 8-bit pixel after resize and crop is Pillow's", async () => {
    const { width, height, data } = await input();
    const bytes = fitted({ width, height, channels: 3, data: data as Uint8Array }, recipes.vision);
    expect(distance(bytes, goldenTensor("vision", entry.resized_cropped_u8).data as Uint8Array).max).toBe(0);
  });

  test("the tensor is the original's to the last bit", async () => {
    const { input: out } = fileClips(recipes.vision, await input());
    expect(distance(out!.data as Float32Array, floats("vision", entry.output)).max).toBe(0);
  });

  test.runIf(entry.decoded_rgb !== undefined && hasGolden("vision", entry.file))(
    "the JPEG decodes as in Pillow",
    async () => {
      const picture = await readImage(goldenPath("vision", entry.file));
      const off = distance(toRgb(picture), goldenTensor("vision", entry.decoded_rgb!).data as Uint8Array);
      expect(off.mean).toBeLessThan(1);
      expect(off.p999).toBeLessThanOrEqual(3);
    },
  );
});

interface VideoCase {
  readonly id: string;
  readonly n_frames: number;
  readonly fps: number;
  readonly size_wh: [number, number];
  readonly stored_frame_indices: number[];
  readonly clip_first_last_frame: [number, number][];
}

describe.for(goldenJson<VideoCase[]>("video/manifest.json", []))("video $id", (entry) => {
  const [width, height] = entry.size_wh;
  const length = { frames: entry.n_frames, fps: entry.fps };

  test("the frames chosen are the original's", () => {
    if (!hasVideo(recipes.vision)) throw new Error("ImageBind has a rule for videos");
    expect(clipFrames(length, recipes.vision)).toEqual(entry.clip_first_last_frame);
  });

  test("every clip and crop equals the original's", async () => {
    const stored = goldenTensor("video", `${entry.id}.frames_u8.npy`).data as Uint8Array;
    const frame = async (index: number): Promise<Frame> => {
      const at = entry.stored_frame_indices.indexOf(index) * width * height * 3;
      return rgbFrame(width, height, stored.subarray(at, at + width * height * 3));
    };
    const { input: out } = await videoClips(recipes.vision, { ...length, frame });
    expect(out!.dims).toEqual([15, 3, 2, 224, 224]);
    const values = out!.data as Float32Array;
    const size = 3 * 2 * 224 * 224;
    const at = goldenTensor("video", `${entry.id}.sample_index.npy`).data as Int32Array;
    const sampled = Array.from({ length: 15 }, (_, k) => Array.from(at, (index) => values[k * size + index]!)).flat();
    expect(distance(sampled, floats("video", `${entry.id}.samples.npy`)).max).toBeLessThan(2e-4);
    if (!hasGolden("video", `${entry.id}.clip0_crop0.npy`)) return;
    expect(distance(values.subarray(0, size), floats("video", `${entry.id}.clip0_crop0.npy`)).max).toBeLessThan(2e-4);
  });
});

interface AudioCase {
  readonly id: string;
  readonly file: string;
  readonly wave16k: string;
  readonly output: string;
  readonly duration_s: number;
  readonly clips_samples: [number, number][];
}

/** Interleaved samples of a `[channels, samples]` tensor. */
function blockOf(wave: Float32Array, channels: number, rate: number): Block {
  const samples = wave.length / channels;
  return {
    kind: "block",
    modality: "audio",
    time: micros(0),
    channels: Array.from({ length: channels }, (_, c) => `c${c}`),
    rate: hz(rate),
    data: Float32Array.from(wave, (_, i) => wave[(i % channels) * samples + Math.floor(i / channels)]!),
  };
}

describe.for(goldenJson<AudioCase[]>("audio/manifest.json", []))("audio $id", (entry) => {
  const expected = floats("audio", entry.output);

  function check(block: Block): void {
    const { input: out } = fileClips(recipes.audio, block);
    expect(out!.dims).toEqual([3, 1, 128, 204]);
    const off = distance(out!.data as Float32Array, expected);
    expect(off.max).toBeLessThan(2e-3);
    expect(off.p999).toBeLessThan(2e-4);
    expect(off.mean).toBeLessThan(1e-5);
    for (const constant of [0.467061, -1.277566]) {
      const near = [...expected.keys()].filter((i) => Math.abs(expected[i]! - constant) < 1e-6);
      for (const i of near) expect(Math.abs((out!.data[i]! as number) - expected[i]!)).toBeLessThan(1e-6);
    }
  }

  test("the clips' sample ranges are exact", () => {
    const [wave] = [goldenTensor("audio", entry.wave16k)];
    const samples = wave.dims[1]!;
    const ranges = clipTimes(samples / 16_000, recipes.audio.clips).map(({ start, end }) => [
      trunc(times(start, 16_000n)),
      Math.min(trunc(times(end, 16_000n)), samples),
    ]);
    expect(ranges).toEqual(entry.clips_samples);
  });

  test("the clips equal the original's from its own 16 kHz sound", () => {
    const { dims, data } = goldenTensor("audio", entry.wave16k);
    check(blockOf(data as Float32Array, dims[0]!, 16_000));
  });

  test.runIf(hasGolden("audio", entry.file))("the clips equal the original's from the file", async () => {
    const { rate, channels, data } = await readAudio(goldenPath("audio", entry.file));
    const names = Array.from({ length: channels }, (_, c) => `c${c}`);
    check({ kind: "block", modality: "audio", time: micros(0), channels: names, rate, data });
  });
});

describe.for(goldenJson<{ id: string }[]>("fbank/manifest.json", []))("fbank $id", ({ id }) => {
  test("the log-mel energies are Kaldi's", () => {
    const { frames, data } = fbank(floats("fbank", `${id}.wave.npy`), { rate: 16_000, bins: 128 });
    const expected = goldenTensor("fbank", `${id}.fbank.npy`);
    expect(frames).toBe(expected.dims[0]);
    const rows = Float32Array.from(data, (_, i) => data[(i % 128) * frames + Math.floor(i / 128)]!);
    const off = distance(rows, expected.data as Float32Array);
    expect(off.max).toBeLessThan(id.includes("noise") ? 5e-4 : 2e-2);
    expect(off.p999).toBeLessThan(1e-2);
    expect(off.mean).toBeLessThan(3e-4);
  });
});

test.runIf(hasGolden("fbank/mel_banks_128x256.npy"))("the mel filterbank is Kaldi's", () => {
  const { first, count, weights } = melBank({ rate: 16_000, rows: 128, bins: 256 });
  const dense = new Float64Array(128 * 256);
  let k = 0;
  for (let r = 0; r < 128; r++) for (let j = 0; j < count[r]!; j++) dense[r * 256 + first[r]! + j] = weights[k++]!;
  expect(distance(dense, floats("fbank", "mel_banks_128x256.npy")).max).toBeLessThan(2e-5);
});

test.runIf(hasGolden("fbank/hann_window_400.npy"))("the window is the symmetric Hann window", () => {
  expect(distance(hann(400), floats("fbank", "hann_window_400.npy")).max).toBeLessThan(1e-6);
});

interface ResampleCase {
  readonly id: string;
  readonly orig: number;
  readonly new: number;
}

describe.for(goldenJson<ResampleCase[]>("resample/manifest.json", []))("resample $id", (entry) => {
  test("the samples are torchaudio's", () => {
    const before = goldenTensor("resample", `${entry.id}.in.npy`);
    const after = goldenTensor("resample", `${entry.id}.out.npy`);
    const [channels, length] = before.dims as [number, number];
    const out = Array.from({ length: channels }, (_, c) =>
      resampleSinc((before.data as Float32Array).subarray(c * length, (c + 1) * length), {
        from: entry.orig,
        to: entry.new,
      }),
    );
    expect(out[0]!.length).toBe(after.dims[1]);
    const limit = entry.orig === 16_001 ? 5e-4 : 5e-5;
    expect(
      distance(
        out.flatMap((plane) => [...plane]),
        after.data as Float32Array,
      ).max,
    ).toBeLessThan(limit);
  });
});

interface CommunityCase {
  readonly id: string;
  readonly focal_px?: number;
  readonly baseline_m?: number;
  readonly clip_m?: [number, number];
}

describe.for(goldenJson<CommunityCase[]>("community/manifest.json", []))("community $id", (entry) => {
  test.runIf(entry.focal_px !== undefined)("disparity and its tensor are Omnivore's", () => {
    const { dims, data } = goldenTensor("community", `${entry.id}.metres.npy`);
    const [height, width] = dims as [number, number];
    const frame: Frame = {
      ...rgbFrame(width, height, new Uint8Array()),
      format: "float32",
      data: data as Float32Array,
    };
    const recipe = { ...recipes.depth, focal: entry.focal_px!, baseline: entry.baseline_m!, clamp: entry.clip_m! };
    const disparity = represent(frame, { ...recipe, valueClamp: undefined, divide: 1 });
    const expected = floats("community", `${entry.id}.disparity.npy`);
    for (const [i, value] of expected.entries()) expect(Math.abs(disparity[i]! / value - 1)).toBeLessThan(1e-6);
    for (const [suffix, antialias] of [
      ["out", false],
      ["out_antialias", true],
    ] as const) {
      if (!hasGolden("community", `${entry.id}.${suffix}.npy`)) continue;
      const { input: out } = fileClips({ ...recipe, antialias }, frame);
      expect(distance(out!.data as Float32Array, floats("community", `${entry.id}.${suffix}.npy`)).max).toBeLessThan(
        1e-3,
      );
    }
  });

  test.runIf(hasGolden("community", `${entry.id}.png`))("a thermal picture is Pillow's, in 0..1", async () => {
    const { width, height, channels, data } = await readImage(goldenPath("community", `${entry.id}.png`));
    expect(channels).toBe(1);
    const { input: out } = fileClips(recipes.thermal, {
      ...rgbFrame(width, height, data as Uint8Array),
      format: "gray8",
    });
    expect(distance(out!.data as Float32Array, floats("community", `${entry.id}.out.npy`)).max).toBeLessThan(1e-6);
  });
});
