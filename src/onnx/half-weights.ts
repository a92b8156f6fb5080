import { tensor } from "../core/tensor.js";
import type { ExternalFile } from "./external.js";
import type { Graph } from "./graph.js";
import { toHalf } from "./half.js";
import type { Value } from "./value.js";
import { floatsOf, largeFloats, storeTensor } from "./weight-store.js";

/** Largest float16. */
const most = 65504;

/**
 * Stores large float32 weights as float16, cast back where they are used: half the file, the computation stays float32 (ONNX
 * Runtime casts once, when it loads). Computing in float16 as well took 3 % longer on an x64 CPU, four transformer blocks of
 * width 768. Weights beyond the range of float16 stay. Tells how many bytes were changed.
 */
export async function halveWeights(graph: Graph, external?: ExternalFile): Promise<number> {
  const casts = new Map<Value, Value>();
  let changed = 0;
  await graph.rewrite(async (node) => {
    for (const [i, input] of node.inputs.entries()) {
      const weight = largeFloats(input);
      if (input === undefined || weight?.type !== "float32") continue;
      let cast = casts.get(input);
      if (cast === undefined) {
        const floats = await floatsOf(weight);
        if (floats.some((value) => Math.abs(value) > most)) continue;
        const half = graph.stored(
          input.name,
          await storeTensor(tensor(weight.dims, toHalf(floats)), external, "float16"),
        );
        cast = graph.op("Cast", [half], { to: 1 });
        casts.set(input, cast);
        changed += floats.byteLength;
      }
      node.inputs[i] = cast;
    }
    return undefined;
  });
  return changed;
}
