import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeModel } from "../../../onnx/encode.js";
import { ExternalFile } from "../../../onnx/external.js";
import { graph as emptyGraph } from "../../../onnx/graph.js";
import type { Checkpoint } from "../checkpoint.js";
import { head } from "./head.js";
import type { Layout } from "./layout.js";
import { pool } from "./pool.js";
import type { Sizes } from "./sizes.js";
import { stem } from "./stem.js";
import { blocks } from "./trunk.js";
import { Weights } from "./weights.js";

export interface TowerSource {
  readonly checkpoint: Checkpoint;
  /** Original names to names in the file. */
  readonly names: ReadonlyMap<string, string>;
  readonly layout: Layout;
  readonly sizes: Sizes;
}

export interface WriteOptions {
  readonly signal?: AbortSignal | undefined;
  /** Told the bytes of each tensor once it is written. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** Names of a tower's files: trunk and head, and the weights of each. */
export const towerFiles = (tower: string): readonly string[] =>
  [`${tower}.onnx`, `${tower}-head.onnx`].flatMap((name) => [name, `${name}.data`]);

/**
 * Writes one modality into `dir`: `<tower>.onnx` gives `features` `[n, width]`, `<tower>-head.onnx` makes the unit vectors
 * `embedding` `[n, out]` of them. Throws `BAD_CHECKPOINT` with the name of a tensor that cannot be used.
 */
export async function writeTower(source: TowerSource, dir: string, options: WriteOptions = {}): Promise<void> {
  const { layout, sizes } = source;
  await write(source, join(dir, `${layout.tower}.onnx`), options, async (weights) => {
    const tokens = await blocks(weights, await stem(weights, layout, sizes), layout);
    weights.graph.output("features", pool(weights.graph, tokens, layout));
  });
  await write(source, join(dir, `${layout.tower}-head.onnx`), options, async (weights) => {
    weights.graph.output("embedding", await head(weights, layout));
  });
}

async function write(
  { checkpoint, names }: TowerSource,
  path: string,
  options: WriteOptions,
  build: (weights: Weights) => Promise<void>,
): Promise<void> {
  await using external = await ExternalFile.create(`${path}.data`);
  const graph = emptyGraph({ name: "imagebind", opset: 17 });
  await build(new Weights({ checkpoint, names, graph, external, ...options }));
  await writeFile(path, encodeModel(graph));
}
