import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { isSenseError } from "../../core/errors.js";
import { encodeModel } from "../../onnx/encode.js";
import { ExternalFile } from "../../onnx/external.js";
import { gatherWeights, loadModel } from "../../onnx/file.js";
import { halveWeights } from "../../onnx/half-weights.js";
import { int8Weights } from "../../onnx/int8-weights.js";
import type { Manifest } from "../manifest.js";
import { everyTower, readManifest } from "../manifest-file.js";
import type { Runtime } from "../runtime.js";
import { bundleId } from "./bundle-id.js";
import { Draft } from "./draft.js";
import { dataOf } from "./graph-data.js";
import { piecewise } from "./piecewise.js";
import { publish } from "./publish.js";

export const precisions = ["fp32", "fp16", "int8"] as const;
export type Precision = (typeof precisions)[number];

export interface QuantizeOptions {
  readonly out: string;
  readonly precision: Exclude<Precision, "fp32">;
  /** Makes the golden vectors. */
  readonly runtime: Runtime;
  readonly onProgress?: ((graph: string) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface QuantizedGraph {
  readonly graph: string;
  /** Bytes of float32 weights that were stored otherwise. */
  readonly changed: number;
}

const graphsOf = (manifest: Manifest): readonly string[] => [
  ...new Set(everyTower(manifest).flatMap(([, { graphs }]) => graphs)),
];

/** Towers that shared a file of weights each have their own afterwards. */
function ownWeights<T extends object>(towers: T): T {
  const own = Object.entries(towers).map(([place, tower]) => [place, { ...tower, weights: [] }]);
  return Object.fromEntries(own) as T;
}

interface Rewritten {
  readonly changed: number;
  readonly files: readonly string[];
}

/** One graph with other weights, as `<graph>` and, if it has large ones, `<graph>.data`. */
async function rewrite(
  { dir, to }: { readonly dir: string; readonly to: string },
  graphFile: string,
  precision: QuantizeOptions["precision"],
): Promise<Rewritten> {
  const graph = await loadModel(join(dir, graphFile));
  const path = join(to, graphFile);
  await mkdir(dirname(path), { recursive: true });
  await using external = await ExternalFile.create(`${path}.data`);
  const change = precision === "int8" ? int8Weights : halveWeights;
  const changed = await change(graph, external);
  await gatherWeights(graph, external);
  await writeFile(path, encodeModel(graph));
  if (external.length > 0) return { changed, files: [graphFile, `${graphFile}.data`] };
  await rm(`${path}.data`);
  return { changed, files: [graphFile] };
}

/**
 * Writes a bundle whose graphs have smaller weights: `fp16` stores them as float16 and computes in float32, `int8` computes
 * products of integers. Everything else of the bundle is copied. Throws `BAD_BUNDLE`, `BAD_ARGUMENT` where `out` exists.
 */
export async function quantizeBundle(dir: string, options: QuantizeOptions): Promise<readonly QuantizedGraph[]> {
  const { out, precision, runtime, onProgress, signal } = options;
  const { files, ...manifest } = await readManifest(dir);
  const graphs = graphsOf({ files, ...manifest });
  const draft = await Draft.open(out, `${precision}/1 ${JSON.stringify(files)}`);
  const report: QuantizedGraph[] = [];
  try {
    for (const graph of graphs) {
      signal?.throwIfAborted();
      onProgress?.(graph);
      let changed = 0;
      await draft.part(graph, async () => {
        const written = await rewrite({ dir, to: draft.dir }, graph, precision);
        changed = written.changed;
        return written.files;
      });
      report.push({ graph, changed });
    }
    const replaced = new Set(["card.md", "golden.json", ...graphs]);
    for (const graph of graphs) {
      for (const file of await dataOf(dir, graph)) replaced.add(file);
    }
    for (const file of Object.keys(files).filter((name) => !replaced.has(name))) {
      await draft.copy(join(dir, file), file);
    }
    const card = await readFile(join(dir, "card.md"), "utf8").catch(() => `# ${manifest.title}\n`);
    const note = `\nWeights stored as ${precision} by \`models quantize\`; convolutions and small weights as they were.\n`;
    await publish(draft, {
      manifest: {
        ...manifest,
        id: bundleId(out),
        title: `${manifest.title}, ${precision}`,
        towers: ownWeights(manifest.towers),
        ...(manifest.sensors && { sensors: ownWeights(manifest.sensors) }),
      },
      card: card + note,
      runtime: piecewise(runtime),
    });
    return report;
  } catch (error) {
    if (isSenseError(error)) await draft.discard();
    throw error;
  }
}
