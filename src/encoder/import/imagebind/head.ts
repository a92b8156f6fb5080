import type { Value } from "../../../onnx/value.js";
import type { Layout } from "./layout.js";
import { layerNorm } from "./trunk.js";
import type { Weights } from "./weights.js";

/** The token that stands for the whole: the class token, or for text the one at the first largest id (PARITY C). */
export function pool({ graph }: Weights, tokens: Value, { tower, width }: Layout): Value {
  if (tower !== "text") return graph.op("Reshape", [tokens, graph.ints([-1, width])]);
  const last = graph.op("ArgMax", [graph.find("input_ids")], { axis: 1, keepdims: 1, select_last_index: 0 });
  return graph.op("GatherND", [tokens, last], { batch_dims: 1 });
}

/** Features `[n, width]` to unit vectors `[n, out]`; the logit scale is not part of it. */
export async function head(weights: Weights, { width, keys }: Layout): Promise<Value> {
  const { graph } = weights;
  const features = graph.input("features", "float32", ["n", width]);
  const normed = await layerNorm(weights, features, keys.headNorm);
  const projected = graph.op("MatMul", [normed, await weights.factor(keys.projection)]);
  const norm = graph.op("ReduceL2", [projected], { axes: [-1], keepdims: 1 });
  return graph.op("Div", [projected, graph.op("Max", [norm, graph.floats(1e-12)])]);
}
