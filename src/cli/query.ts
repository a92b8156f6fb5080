import { combine, type Term, type UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import type { Bundle } from "../encoder/bundle.js";
import { modalityOfName } from "../pipeline/read-file.js";
import { encodeFiles } from "./encode-files.js";
import { isVideo } from "./read-video.js";

/** What is looked for: the sum of what is wanted less what is not. */
export interface Query {
  readonly texts: readonly string[];
  readonly minusTexts: readonly string[];
  readonly files: readonly string[];
  readonly minusFiles: readonly string[];
  /** Of the files; told from their names unless given. */
  readonly modality: Modality | undefined;
}

/** The direction of a query: each part weighs the same. Throws `BAD_ARGUMENT` for one that asks for nothing. */
export async function queryVector(bundle: Bundle, query: Query): Promise<UnitVector> {
  const { texts, minusTexts, files, minusFiles, modality } = query;
  if (texts.length + files.length === 0) {
    throw new SenseError("BAD_ARGUMENT", "there is nothing to look for", { hint: "Give --text or --file." });
  }
  const words = await bundle.encodeText([...texts, ...minusTexts]);
  const signed: Term[] = words.map(({ vector }, i) => ({ vector, weight: i < texts.length ? 1 : -1 }));
  for (const [paths, weight] of [
    [files, 1],
    [minusFiles, -1],
  ] as const) {
    for (const path of paths) {
      signed.push({ vector: await fileVector(bundle, path, modality ?? modalityOf(path)), weight });
    }
  }
  return combine(signed);
}

async function fileVector(bundle: Bundle, path: string, modality: Modality): Promise<UnitVector> {
  if (modality === "text") {
    throw new SenseError("BAD_ARGUMENT", "a file of words is no query", { hint: 'Give the words: --text "…".' });
  }
  for await (const result of encodeFiles(bundle, [path], { modality })) {
    if ("encoded" in result) return result.encoded.vector;
    throw result.error;
  }
  throw new SenseError("INTERNAL", `${path} was not encoded`);
}

function modalityOf(path: string): Modality {
  const kind = isVideo(path) ? "vision" : modalityOfName(path);
  if (kind !== undefined) return kind;
  throw new SenseError("BAD_ARGUMENT", `the name of ${path} does not tell its modality`, { hint: "Give --modality." });
}
