import { mean, reshape } from "../../onnx/arithmetic.js";
import type { Value } from "../../onnx/value.js";
import { gelu, groupNorm, lengthOf, rowsOf } from "./layers.js";
import type { Net } from "./net.js";

export interface StageOptions {
  /** Channels of each stage; every stage halves height and width. */
  readonly stages: readonly number[];
  /** Groups of channels that are normalised together; the most that divide every stage, up to 8, unless given. */
  readonly groups?: number | undefined;
}

/** The most groups, up to 8, that share every stage's channels. */
export function groupsOf(stages: readonly number[]): number {
  let groups = 8;
  while (stages.some((channels) => channels % groups !== 0)) groups--;
  return groups;
}

/** Features `[n, channels]` of maps `[n, channels, height, width]`: 3x3 convolutions of stride 2 with group norm, then the mean. */
export function convolved(net: Net, x: Value, { stages, groups = groupsOf(stages) }: StageOptions): Value {
  const { g } = net;
  let y = x;
  for (const [i, channels] of stages.entries()) {
    const inputs = lengthOf(y, 1);
    const w = net.take(`stages.${i}.weight`, [channels, inputs, 3, 3], { deviation: Math.sqrt(2 / (9 * inputs)) });
    const map = g.op("Conv", [y, w], { strides: [2, 2], pads: [1, 1, 1, 1] });
    y = gelu(g, groupNorm(net, map, `stages.${i}.norm`, { groups, epsilon: 1e-5 }));
  }
  const area = lengthOf(y, 2) * lengthOf(y, 3);
  return reshape(g, mean(g, y, [2, 3], area), [rowsOf(x), stages.at(-1)!]);
}
