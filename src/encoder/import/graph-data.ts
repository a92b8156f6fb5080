import { dirname, join } from "node:path";
import { loadModel } from "../../onnx/file.js";

/** Files of external weights that a graph of a bundle refers to, by their paths in the bundle's folder. */
export async function dataOf(dir: string, graphFile: string): Promise<readonly string[]> {
  const { weights } = await loadModel(join(dir, graphFile));
  const files = weights.flatMap(({ source }) =>
    source.kind === "weight" && source.weight.storage.kind === "file"
      ? [join(dirname(graphFile), source.weight.storage.location)]
      : [],
  );
  return [...new Set(files)];
}
