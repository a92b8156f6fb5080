import type { Graph } from "../../../onnx/graph.js";
import type { Value } from "../../../onnx/value.js";
import type { Layout } from "./layout.js";

/** Where each text is pooled: at its first largest id, which is the end token (PARITY A3). `[n, 1]` */
export const pooledAt = (graph: Graph, ids: Value): Value =>
  graph.op("ArgMax", [ids], { axis: 1, keepdims: 1, select_last_index: 0 });

/** The token that stands for the whole, `[n, width]`: the class token, or the one that a text is pooled at. */
export function pool(graph: Graph, tokens: Value, { tower, width }: Layout): Value {
  if (tower !== "text") return graph.op("Reshape", [tokens, graph.ints([-1, width])]);
  return graph.op("GatherND", [tokens, pooledAt(graph, graph.find("input"))], { batch_dims: 1 });
}
