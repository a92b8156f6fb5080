import type { Graph } from "../../src/onnx/graph.js";
import type { Value } from "../../src/onnx/value.js";

/** Statistics over one axis, which is dropped. */
export function pooling(g: Graph, axis: number) {
  const mean = (x: Value, keepdims = 0): Value => g.op("ReduceMean", [x], { axes: [axis], keepdims });
  return {
    mean,
    max: (x: Value): Value => g.op("ReduceMax", [x], { axes: [axis], keepdims: 0 }),
    min: (x: Value): Value => g.op("ReduceMin", [x], { axes: [axis], keepdims: 0 }),
    deviation(x: Value): Value {
      const centred = g.op("Sub", [x, mean(x, 1)]);
      return g.op("Sqrt", [g.op("Add", [mean(g.op("Mul", [centred, centred])), g.floats(1e-8)])]);
    },
    /** `x[from ... to]` along the axis; a negative `to` counts from the end. */
    slice: (x: Value, from: number, to: number): Value =>
      g.op("Slice", [x, g.ints([from]), g.ints([to]), g.ints([axis])]),
    /** `x[t + lag] - x[t]`. */
    difference: (x: Value, lag: number): Value =>
      g.op("Sub", [
        g.op("Slice", [x, g.ints([lag]), g.ints([2 ** 31]), g.ints([axis])]),
        g.op("Slice", [x, g.ints([0]), g.ints([-lag]), g.ints([axis])]),
      ]),
  };
}
