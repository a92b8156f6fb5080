import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { SenseError } from "../core/errors.js";
import { decodeModel } from "./decode.js";
import { encodeModel } from "./encode.js";
import { ExternalFile } from "./external.js";
import type { Graph } from "./graph.js";
import type { Body, Weight } from "./value.js";
import { weightBytes } from "./weight-bytes.js";

/** Reads an .onnx file; weights in other files stay there until they are asked for. */
export async function loadModel(path: string): Promise<Graph> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `${path} cannot be read`, {
      hint: "Check the path and its permissions.",
      cause,
    });
  });
  return decodeModel(bytes, dirname(resolve(path)));
}

export { weightBytes };

export interface SaveOptions {
  /** Name of the file beside the model that takes large weights; without it all weights are inside the .onnx file. */
  readonly external?: string | undefined;
  /** Weights of at least this many bytes go to the external file. */
  readonly threshold?: number;
}

/**
 * Writes a graph as an .onnx file. Weights that were read from another folder, or from a file that is not kept, are copied;
 * those that already lie in a file of the target's folder stay where they are. The graph then refers to the new places.
 */
export async function saveModel(
  graph: Graph,
  path: string,
  { external, threshold = 1024 }: SaveOptions = {},
): Promise<void> {
  const folder = dirname(resolve(path));
  if (external !== undefined && basename(external) !== external) {
    throw new SenseError("BAD_ARGUMENT", `external data is named by a plain file name, not ${external}`);
  }
  const stored = [...new Set(weightsOf(graph))];
  const isHere = ({ storage }: Weight): boolean =>
    storage.kind === "file" && (storage.folder === undefined || resolve(storage.folder) === folder);
  const clash = stored.find(
    (weight) => isHere(weight) && "location" in weight.storage && weight.storage.location === external,
  );
  if (clash !== undefined) {
    throw new SenseError("BAD_ARGUMENT", `${external} in ${folder} still holds weights of this graph`, {
      hint: "save under another name or in another folder",
    });
  }
  await using data = external === undefined ? undefined : await ExternalFile.create(join(folder, external));
  for (const weight of stored) {
    if (!isHere(weight)) await place(weight, data, { threshold, folder });
  }
  await writeFile(path, encodeModel(graph));
}

/** Weights of a graph and of the bodies of its loops. */
function weightsOf({ weights, nodes }: Body): readonly Weight[] {
  const bodies = nodes.flatMap(({ attributes }) =>
    Object.values(attributes).flatMap((value) => (typeof value === "object" && "graph" in value ? [value.graph] : [])),
  );
  const own = weights.flatMap(({ source }) => (source.kind === "weight" ? [source.weight] : []));
  return [...own, ...bodies.flatMap(weightsOf)];
}

async function place(
  weight: Weight,
  external: ExternalFile | undefined,
  { threshold, folder }: { readonly threshold: number; readonly folder?: string },
): Promise<void> {
  if (weight.storage.kind === "opaque") return;
  const bytes = await weightBytes(weight);
  const outside = external !== undefined && bytes.byteLength >= threshold;
  weight.storage = outside
    ? { ...(await external.append(bytes)), ...(folder === undefined ? {} : { folder }) }
    : { kind: "bytes", bytes };
}

/** Copies every weight that lies in another model's folder to an external file; those put there by the caller stay. */
export async function gatherWeights(graph: Graph, external: ExternalFile): Promise<void> {
  for (const { source } of graph.weights) {
    if (source.kind !== "weight") continue;
    const { storage } = source.weight;
    if (storage.kind === "bytes" || (storage.kind === "file" && storage.folder !== undefined)) {
      await place(source.weight, external, { threshold: 1024 });
    }
  }
}
