import { gaussian, seeded } from "../../src/core/random.js";
import { tensor } from "../../src/core/tensor.js";
import type { Graph } from "../../src/onnx/graph.js";
import type { Value } from "../../src/onnx/value.js";
import { pooling } from "./pooling.js";

/** Samples a second, and steps of a window: 8 s, so that most windows of a recording of 15 s hold its fall. */
export const rate = 50;
export const steps = 400;

const gravity = 9.80665;
const channels = 8;
const dilations = [1, 2, 4, 8, 16];
/** Random kernels for each dilation (ROCKET, Dempster et al. 2020), of 9 taps over two channels. */
const kernels = 60;
const taps = 9;

const sum = (g: Graph, x: Value): Value => g.op("ReduceSum", [x, g.ints([1])], { keepdims: 1 });
const dot = (g: Graph, a: Value, b: Value): Value => sum(g, g.op("Mul", [a, b]));
const length = (g: Graph, x: Value): Value => g.op("Sqrt", [g.op("Add", [dot(g, x, x), g.floats(1e-8)])]);

/** `sign(x) log(1 + |x|)`: an impact of 20 g and a footstep both count. */
const compress = (g: Graph, x: Value): Value =>
  g.op("Mul", [g.op("Sign", [x]), g.op("Log", [g.op("Add", [g.op("Abs", [x]), g.floats(1)])])]);

/** Steps moved later by `lag`; the first one stands for what came before. */
const delayed = (g: Graph, x: Value, lag: number): Value =>
  g.op("Gather", [x, g.ints(Array.from({ length: steps }, (_, t) => Math.max(0, t - lag)))], { axis: 2 });

/**
 * Eight channels `[batch, 8, steps]` that do not depend on how the sensor is mounted: acceleration beyond gravity, its parts along
 * and across gravity, turning, turning about the vertical, jerk, and how far the vertical has tilted since the start and in a second.
 */
function invariants(g: Graph, imu: Value): Value {
  const [accel, gyro] = g.ops("Split", [imu, g.ints([3, 3])], { axis: 1 }, { outputs: 2 }) as [Value, Value];
  const slow = g.op("AveragePool", [accel], { kernel_shape: [51], pads: [25, 25], strides: [1], count_include_pad: 0 });
  const up = g.op("Div", [slow, g.op("Add", [length(g, slow), g.floats(0.5)])]);
  const along = dot(g, accel, up);
  const square = g.op("Sub", [dot(g, accel, accel), g.op("Mul", [along, along])]);
  const across = g.op("Sqrt", [g.op("Max", [square, g.floats(0)])]);
  const about = g.op("Abs", [dot(g, gyro, up)]);
  const jerk = length(g, g.op("Sub", [accel, delayed(g, accel, 1)]));
  const start = g.op("ReduceMean", [pooling(g, 2).slice(up, 0, 25)], { axes: [2], keepdims: 1 });
  const beyond = (x: Value): Value => g.op("Sub", [x, g.floats(gravity)]);
  const times3 = (x: Value): Value => g.op("Mul", [x, g.floats(3)]);
  const tilt = (from: Value): Value => times3(g.op("Sub", [g.floats(1), dot(g, up, from)]));
  const compressed = [beyond(length(g, accel)), times3(length(g, gyro)), beyond(along), across, times3(about), jerk];
  return g.op("Concat", [...compressed.map((x) => compress(g, x)), tilt(start), tilt(delayed(g, up, rate))], {
    axis: 1,
  });
}

/** `[batch, features]` of `[batch, 6, steps]`, acceleration in m/s² then turning in rad/s: statistics and pooled random kernels. */
export function imuFeatures(g: Graph, imu: Value): Value {
  const x = invariants(g, imu);
  const over = pooling(g, 2);
  const centred = g.op("Sub", [x, over.mean(x, 1)]);
  const squares = g.op("Mul", [centred, centred]);
  const fourth = over.mean(g.op("Mul", [squares, squares]));
  const parts = [over.mean(x), over.deviation(x), over.max(x), over.min(x), g.op("Pow", [fourth, g.floats(0.25)])];
  for (const lag of [1, 5, 15, 40]) parts.push(over.mean(g.op("Abs", [over.difference(x, lag)])));
  // Autocorrelation of acceleration and turning at 0.2 to 1.2 s: the rhythm of steps.
  const rhythm = g.op("Slice", [centred, g.ints([0]), g.ints([2]), g.ints([1])]);
  const power = g.op("Add", [over.mean(g.op("Mul", [rhythm, rhythm])), g.floats(0.02)]);
  for (const lag of [10, 15, 20, 25, 30, 40, 50, 60]) {
    const product = g.op("Mul", [over.slice(rhythm, lag, steps), over.slice(rhythm, 0, -lag)]);
    parts.push(g.op("Div", [over.mean(product), power]));
  }
  const random = seeded(5);
  for (const dilation of dilations) {
    const { weight, offset } = kernelBank(random);
    const bank = [
      x,
      g.weight("kernels", tensor([kernels, channels, taps], weight)),
      g.weight("offsets", tensor([kernels], offset)),
    ];
    const response = g.op("Conv", bank, { dilations: [dilation], kernel_shape: [taps] });
    // A soft share of positive responses, and the strongest one.
    parts.push(over.mean(g.op("Sigmoid", [g.op("Mul", [response, g.floats(4)])])), over.max(response));
  }
  return g.op("Concat", parts, { axis: 1 });
}

/** Kernels of mean 0 on two channels each, and offsets in [-1, 1). */
function kernelBank(random: () => number): { weight: Float32Array; offset: Float32Array } {
  const weight = new Float32Array(kernels * channels * taps);
  const offset = Float32Array.from({ length: kernels }, () => 2 * random() - 1);
  for (let k = 0; k < kernels; k++)
    for (let side = 0; side < 2; side++) {
      const channel = Math.floor(random() * channels);
      const values = Array.from({ length: taps }, () => gaussian(random));
      const mean = values.reduce((a, b) => a + b) / taps;
      for (const [i, value] of values.entries()) weight[(k * channels + channel) * taps + i]! += value - mean;
    }
  return { weight, offset };
}
