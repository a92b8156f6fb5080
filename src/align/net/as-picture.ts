import { concat, div, sub } from "../../onnx/arithmetic.js";
import { type Graph, graph } from "../../onnx/graph.js";
import { trainingOpset } from "./net.js";

/** What a camera's encoder takes: the name of its input and how its colours are normalised (VisionRecipe). */
export interface PictureForm {
  readonly input: string;
  readonly size: number;
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

/** Name of the input of `asPicture`. */
export const mapInput = "map";

/**
 * A sensor's map `map` `[n, 1, size, size]` as the picture `[n, 3, size, size]` that a camera's encoder takes, grey from the map's
 * least to its greatest number. ImageBind takes thermal and depth maps for pictures of one channel too (arXiv 2305.05665, section 3.2).
 */
export function asPicture({ input, size, mean, std }: PictureForm): Graph {
  const g = graph({ name: "picture", opset: trainingOpset });
  const map = g.input(mapInput, "float32", ["n", 1, size, size]);
  const least = g.op("ReduceMin", [map, g.ints([1, 2, 3])], { keepdims: 1 });
  const most = g.op("ReduceMax", [map, g.ints([1, 2, 3])], { keepdims: 1 });
  // A map that is the same everywhere is black, and not divided by nothing.
  const range = g.op("Max", [sub(g, most, least), g.floats(1e-6)]);
  const grey = div(g, sub(g, map, least), range);
  const perColour = (values: readonly number[], name: string) =>
    g.weight(name, {
      dims: [1, 3, 1, 1],
      data: Float32Array.from({ length: 3 }, (_, c) => values[c % values.length]!),
    });
  const picture = div(g, sub(g, concat(g, [grey, grey, grey], 1), perColour(mean, "mean")), perColour(std, "std"));
  g.output(input, picture);
  return g;
}
