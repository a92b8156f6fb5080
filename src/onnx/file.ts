import { readFile, writeFile } from "node:fs/promises";
import { basename, dirname, join, resolve, sep } from "node:path";
import { SenseError } from "../core/errors.js";
import { decodeModel } from "./decode.js";
import { encodeModel } from "./encode.js";
import { ExternalFile, readRange } from "./external.js";
import type { Graph } from "./graph.js";
import type { Weight } from "./value.js";

/** Reads an .onnx file; weights in other files stay there until they are asked for. */
export async function loadModel(path: string): Promise<Graph> {
  const bytes = await readFile(path).catch((cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `${path} cannot be read`, { cause });
  });
  return decodeModel(bytes, dirname(resolve(path)));
}

/** The little-endian bytes of a weight. Throws `BAD_MODEL` for a location outside the model's folder. */
export async function weightBytes({ storage }: Weight): Promise<Uint8Array> {
  if (storage.kind === "bytes") return storage.bytes;
  if (storage.kind === "opaque") return storage.proto;
  const folder = resolve(storage.folder ?? ".");
  const path = resolve(folder, storage.location);
  if (!path.startsWith(folder + sep)) {
    throw new SenseError("BAD_MODEL", `external data ${storage.location} lies outside the model's folder`);
  }
  return readRange(path, storage.offset, storage.length);
}

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
  const stored = graph.weights.flatMap(({ source }) => (source.kind === "weight" ? [source.weight] : []));
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
    if (isHere(weight) || weight.storage.kind === "opaque") continue;
    const bytes = await weightBytes(weight);
    const outside = data !== undefined && bytes.byteLength >= threshold;
    weight.storage = outside ? { ...(await data.append(bytes)), folder } : { kind: "bytes", bytes };
  }
  await writeFile(path, encodeModel(graph));
}
