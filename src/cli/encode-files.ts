import { isSenseError, SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import type { Bundle } from "../encoder/bundle.js";
import type { Encoded } from "../encoder/mean.js";
import type { SeriesFlags } from "./options.js";
import { type InputOptions, readInput } from "./read-input.js";

/** What became of one file. */
export type FileResult =
  | { readonly path: string; readonly encoded: Encoded }
  | { readonly path: string; readonly error: unknown };

export interface EncodeFilesOptions extends SeriesFlags {
  readonly modality: Exclude<Modality, "text">;
}

/** Files decoded side by side and encoded in one batch. */
const together = 16;

/** Batches under way: one is decoded while others are encoded. */
const ahead = 3;

/** Encodes files of one modality, results in their order; a file that cannot be used is a result with its error. */
export async function* encodeFiles(
  bundle: Bundle,
  paths: readonly string[],
  { modality, ...flags }: EncodeFilesOptions,
): AsyncGenerator<FileResult> {
  const { preprocess: recipe, window } = bundle.tower(modality);
  const input = { modality, recipe, hop: window?.hop, ...flags };
  const underWay: Promise<readonly FileResult[]>[] = [];
  for (let from = 0; from < paths.length; from += together) {
    underWay.push(encodeTogether(bundle, paths.slice(from, from + together), input));
    if (underWay.length >= ahead) yield* await underWay.shift()!;
  }
  for (const batch of underWay) yield* await batch;
}

async function encodeTogether(
  bundle: Bundle,
  paths: readonly string[],
  input: InputOptions,
): Promise<readonly FileResult[]> {
  const read = await Promise.allSettled(paths.map((path) => readInput(path, input)));
  const good = read.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
  try {
    const encoded = [...(await bundle.encodeAll(input.modality, good))];
    return paths.map((path, i) => {
      const result = read[i]!;
      return result.status === "fulfilled" ? { path, encoded: encoded.shift()! } : { path, error: result.reason };
    });
  } catch (error) {
    if (paths.length === 1) return [{ path: paths[0]!, error: naming(paths[0]!, error) }];
    // One window without a direction must not take the others of its batch with it.
    return (await Promise.all(paths.map((path) => encodeTogether(bundle, [path], input)))).flat();
  }
}

/** An error of the encoder knows the window, not the file it came from. */
function naming(path: string, error: unknown): unknown {
  if (!isSenseError(error) || error.message.includes(path)) return error;
  return new SenseError(error.code, `${path}: ${error.message}`, {
    ...(error.hint && { hint: error.hint }),
    cause: error,
  });
}
