import type { Value } from "../../../onnx/value.js";
import type { Layout } from "./layout.js";
import { layerNorm } from "./trunk.js";
import type { Weights } from "./weights.js";

/** Features `[n, width]` to unit vectors `[n, out]`; the logit scale is not part of it. */
export async function head(weights: Weights, { width, keys }: Layout): Promise<Value> {
  const { graph } = weights;
  const features = graph.input("features", "float32", ["n", width]);
  const normed = await layerNorm(weights, features, keys.headNorm);
  const projected = graph.op("MatMul", [normed, await weights.factor(keys.projection)]);
  const norm = graph.op("ReduceL2", [projected], { axes: [-1], keepdims: 1 });
  return graph.op("Div", [projected, graph.op("Max", [norm, graph.floats(1e-12)])]);
}
