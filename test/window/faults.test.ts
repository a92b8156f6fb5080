import { describe, expect, test } from "vitest";
import type { Frame } from "../../src/core/reading.js";
import { hz, micros } from "../../src/core/time.js";
import type { BlockCut, FrameCut } from "../../src/window/cut.js";
import { faultsOf } from "../../src/window/faults.js";

const span = { sensor: "s", seq: 0, from: micros(0), to: micros(1e6), quality: { coverage: 1 } };

const frameOf = (modality: Frame["modality"], format: Frame["format"], values: readonly number[]): Frame => ({
  ...{ kind: "frame", modality, time: micros(0), format, width: values.length, height: 1 },
  data:
    format === "float32"
      ? Float32Array.from(values)
      : format === "gray16"
        ? Uint16Array.from(values)
        : Uint8Array.from(values),
});

function ofFrame(...frames: readonly Frame[]) {
  const cut: FrameCut = { ...span, kind: "frames", modality: frames[0]!.modality, frames };
  return faultsOf(cut, frames);
}

function ofBlock(modality: "audio" | "imu", channels: readonly string[], data: readonly number[]) {
  const cut: BlockCut = { ...span, kind: "block", modality, channels, rate: hz(100), data: Float32Array.from(data) };
  return faultsOf(cut, []);
}

const sine = (gain: number) => Array.from({ length: 200 }, (_, i) => Math.max(-1, Math.min(1, gain * Math.sin(i / 3))));

describe("a window that says nothing of the world is told by what is wrong with it", () => {
  test.each([
    ["a covered lens", ofFrame(frameOf("vision", "gray8", [0, 3, 9, 2])), ["dark"]],
    ["a night scene with a lamp", ofFrame(frameOf("vision", "gray8", [0, 3, 200, 2])), []],
    ["a white wall", ofFrame(frameOf("vision", "gray8", [200, 200, 200])), []],
    ["a thermal camera's shutter", ofFrame(frameOf("thermal", "float32", [24.5, 24.5, 24.5])), ["shutter"]],
    ["a warm room", ofFrame(frameOf("thermal", "float32", [24.5, 24.7, 31])), []],
    ["a depth camera that reaches nothing", ofFrame(frameOf("depth", "float32", [Number.NaN, Number.NaN])), ["empty"]],
    ["zeros of a depth camera", ofFrame(frameOf("depth", "gray16", [0, 0, 0])), ["empty"]],
    ["a microphone that is off", ofBlock("audio", ["c0"], Array(200).fill(0)), ["silent"]],
    ["a quiet room", ofBlock("audio", ["c0"], sine(1e-4)), []],
    ["an overdriven microphone", ofBlock("audio", ["c0"], sine(20)), ["clipped"]],
    ["a loud sound", ofBlock("audio", ["c0"], sine(0.95)), []],
    ["an IMU that repeats itself", ofBlock("imu", ["ax", "ay"], Array(100).fill([0.1, 9.8]).flat()), ["stuck"]],
    ["an IMU at rest", ofBlock("imu", ["ax", "ay"], [0.1, 9.8, 0.1, 9.81, 0.1, 9.8]), []],
  ])("%s", (_, found, expected) => {
    expect(found).toEqual(expected);
  });

  test("one good picture of several is enough", () => {
    const [dark, light] = [frameOf("vision", "gray8", [0, 1, 2]), frameOf("vision", "gray8", [0, 100, 2])];
    expect(ofFrame(dark, light)).toEqual([]);
    expect(ofFrame(dark, dark)).toEqual(["dark"]);
  });
});
