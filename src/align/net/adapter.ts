import { add, normalizeRows } from "../../onnx/arithmetic.js";
import { gelu, layerNorm, lengthOf, linear } from "./layers.js";
import type { Architecture } from "./net.js";

/**
 * A head on a frozen encoder's unit vectors `[n, dim]`: x + W2 GELU(W1 norm(x)), W2 beginning at zero, so that it begins as the
 * encoder was (adapters, Houlsby et al., arXiv 1902.00751).
 */
export const adapter =
  (hidden: number): Architecture =>
  (net, x) => {
    const { g } = net;
    const dim = lengthOf(x, -1);
    const h = gelu(g, linear(net, layerNorm(net, x, "norm", 1e-5), "fc1", hidden));
    const w = net.take("fc2.weight", [dim, hidden], { value: 0 });
    return normalizeRows(g, add(g, x, g.op("Gemm", [h, w], { transB: 1 })));
  };
