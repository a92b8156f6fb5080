import { describe, expect, test } from "vitest";
import { imagebindRecipes } from "../../src/core/imagebind.js";
import type { Block, EncodedFrame, Frame } from "../../src/core/reading.js";
import { ThermalRecipe, VisionRecipe, WaveformRecipe } from "../../src/core/recipe.js";
import { hz, micros, ms } from "../../src/core/time.js";
import type { BlockCut, FrameCut } from "../../src/window/cut.js";
import { fileClips, preprocessor, videoClips } from "../../src/window/preprocess.js";

const frame = (width: number, height: number, fill: number): Frame => ({
  kind: "frame",
  modality: "vision",
  format: "rgb8",
  time: micros(fill),
  width,
  height,
  data: new Uint8Array(width * height * 3).fill(fill),
});

const span = { sensor: "s0", seq: 3, from: micros(0), to: micros(2e6), quality: { coverage: 0.9 } } as const;
const cameraCut = (frames: FrameCut["frames"]): FrameCut => ({ ...span, kind: "frames", modality: "vision", frames });
const noDecoder = (): never => {
  throw new Error("a raw frame is not decoded");
};
const small = VisionRecipe.parse({ kind: "vision", input: "pixels", size: 8, mean: [0], std: [1] });

describe("a camera's window", () => {
  test("is the newest frame, with the span and quality of the cut", async () => {
    const window = await preprocessor(small, noDecoder)(cameraCut([frame(16, 12, 10), frame(16, 12, 51)]));
    expect(window).toMatchObject({ ...span, modality: "vision" });
    expect(window.inputs.pixels!.dims).toEqual([1, 3, 8, 8]);
    for (const value of window.inputs.pixels!.data) expect(value).toBeCloseTo(0.2, 6);
  });

  test("decodes no frame but those it uses, and says how small they may become", async () => {
    const asked: unknown[] = [];
    const encoded = (time: number): EncodedFrame => ({
      kind: "encoded",
      modality: "vision",
      mime: "image/jpeg",
      time: micros(time),
      data: new Uint8Array(),
    });
    const prepare = preprocessor(small, async ({ time }, options) => {
      asked.push([time, options]);
      return frame(8, 8, 0);
    });
    await prepare(cameraCut([encoded(1), encoded(2)]));
    expect(asked).toEqual([[2, { atLeast: 24 }]]);
  });

  test("of several frames follows the recipe's video rule: first and last, three crops", async () => {
    const frames = [frame(16, 12, 10), frame(16, 12, 20), frame(16, 12, 30)];
    const recipe = { ...small, video: { clips: 5, length: ms(2000), frames: 2, crops: 3 as const } };
    const { inputs } = await preprocessor(recipe, noDecoder)(cameraCut(frames));
    expect(inputs.pixels!.dims).toEqual([3, 3, 2, 8, 8]);
    expect(inputs.pixels!.data[0]).toBeCloseTo(10 / 255, 6);
    expect(inputs.pixels!.data[64]).toBeCloseTo(30 / 255, 6);
  });
});

test("a microphone's window of two seconds is the first clip of such a file, once", async () => {
  const data = Float32Array.from({ length: 32_000 }, (_, i) => Math.sin(i / 9) / 3);
  const cut: BlockCut = { ...span, kind: "block", modality: "audio", channels: ["mono"], rate: hz(16_000), data };
  const { inputs } = await preprocessor(imagebindRecipes.audio, noDecoder)(cut);
  const file = fileClips(imagebindRecipes.audio, { ...cut, time: micros(0) } as Block);
  expect(inputs.input!.dims).toEqual([1, 1, 128, 204]);
  expect(inputs.input!.data).toEqual(file.input!.data.subarray(0, 128 * 204));
  expect([...data.subarray(0, 3)]).toEqual([0, 1, 2].map((i) => Math.fround(Math.sin(i / 9) / 3)));
});

test("a waveform is mixed to mono, resampled and cut into windows", () => {
  const recipe = WaveformRecipe.parse({ kind: "waveform", input: "wave", rate: 8_000, samples: 4_000 });
  const data = Float32Array.from({ length: 2 * 16_000 }, (_, i) => (i % 2 === 0 ? 0.5 : 0.1));
  const stereo: Block = {
    kind: "block",
    modality: "audio",
    time: micros(0),
    channels: ["l", "r"],
    rate: hz(16_000),
    data,
  };
  const { wave } = fileClips(recipe, stereo, { hop: ms(250) });
  expect(wave!.dims).toEqual([3, 4_000]);
  for (const value of wave!.data.subarray(100, -100)) expect(value).toBeCloseTo(0.3, 2);
  const short = fileClips(recipe, { ...stereo, data: data.subarray(0, 2_000) });
  expect(short.wave!.dims).toEqual([1, 4_000]);
  expect(short.wave!.data[3_000]).toBe(0);
});

describe("thermal", () => {
  const thermal = (data: Frame["data"], format: Frame["format"]): Frame => ({
    kind: "frame",
    modality: "thermal",
    format,
    time: micros(0),
    width: 2,
    height: 2,
    data,
  });
  const recipe = ThermalRecipe.parse({ kind: "thermal", input: "t", size: 2 });
  const valuesOf = (frame: Frame, range: ThermalRecipe["range"]) =>
    [...fileClips({ ...recipe, range }, frame).t!.data].map((value) => Math.round(Number(value) * 255));

  test("an 8-bit picture keeps its values", () => {
    expect(valuesOf(thermal(Uint8Array.of(0, 10, 200, 255), "gray8"), "full")).toEqual([0, 10, 200, 255]);
  });

  test("degrees in a fixed range are clipped to it, and no reading is the coldest", () => {
    const degrees = thermal(Float32Array.of(-5, 20, 40, Number.NaN), "float32");
    expect(valuesOf(degrees, [0, 40])).toEqual([0, 128, 255, 0]);
  });

  test("raw counts are spread from the frame's coldest to its warmest", () => {
    expect(valuesOf(thermal(Uint16Array.of(30_000, 30_100, 30_050, 30_000), "gray16"), "full")).toEqual([
      0, 255, 128, 0,
    ]);
    expect(valuesOf(thermal(Uint16Array.of(7, 7, 7, 7), "gray16"), "minmax")).toEqual([0, 0, 0, 0]);
  });
});

describe("what does not fit is refused by name", () => {
  test("a picture for a sound's recipe, and a video without a rule", async () => {
    expect(() => fileClips(imagebindRecipes.audio, frame(4, 4, 0))).toThrow(
      expect.objectContaining({ code: "MODEL_MISMATCH" }),
    );
    const video = { frames: 3, fps: 10, frame: async () => frame(4, 4, 0) };
    await expect(videoClips(small, video)).rejects.toMatchObject({ code: "MODALITY_UNSUPPORTED" });
    await expect(videoClips(imagebindRecipes.vision, { ...video, frames: 0 })).rejects.toMatchObject({
      code: "BAD_IMAGE",
    });
  });

  test("a frame whose data is not its size, a sound with samples that are no numbers", () => {
    expect(() => fileClips(small, { ...frame(4, 4, 0), width: 5 })).toThrow(
      expect.objectContaining({ code: "BAD_IMAGE" }),
    );
    const data = new Float32Array(16_000).fill(Number.NaN);
    const broken: Block = {
      kind: "block",
      modality: "audio",
      time: micros(0),
      channels: ["m"],
      rate: hz(16_000),
      data,
    };
    expect(() => fileClips(imagebindRecipes.audio, broken)).toThrow(expect.objectContaining({ code: "BAD_AUDIO" }));
  });
});
