import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { isAbsolute, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { normalize, type UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import type { Bundle } from "../encoder/bundle.js";
import { towerFiles } from "../encoder/manifest-file.js";
import { meanOf } from "../encoder/mean.js";
import { VectorCache } from "../encoder/vector-cache.js";
import { examplesOf } from "../space/ingredients.js";
import type { EncodedExample } from "../space/prompt.js";
import type { ConceptText } from "../space/schema.js";
import { type Example, exampleName } from "../space/term.js";
import { fileClips } from "../window/preprocess.js";
import { modalityOfName, readFileReading } from "./read-file.js";
import { recordedEmbeddings, recordedSensor } from "./recorded.js";

export interface ExampleFolders {
  /** Where relative paths of examples start; the working directory unless given. */
  readonly files?: string | undefined;
  /** Folder of what survives a restart: vectors of examples are kept there, by what the files hold, if it is given. */
  readonly state?: string | undefined;
}

type Sensed = Exclude<Modality, "text">;

/** Encodes examples of concepts, each content once: what it gave is kept on disk, by content, encoder and space. */
export function exampleEncoder(bundle: Bundle, { files = ".", state }: ExampleFolders) {
  const { space, manifest } = bundle;
  const cache = state === undefined ? undefined : new VectorCache(join(state, "examples"), space, manifest.dim);
  return async (example: Example): Promise<EncodedExample> => {
    const path = resolve(files, "file" in example ? example.file : example.recording);
    const modality = await modalityOf(example, path);
    const own = "recording" in example ? bundle.forSensor(example.sensor) : bundle;
    const key = JSON.stringify([await hashOf(path), towerOf(own, modality), withoutPath(example)]);
    const known = await cache?.get(key);
    if (known) return { modality, vector: normalize(known) };
    const vector = await encode(example, path, { bundle, modality });
    await cache?.put(key, vector);
    return { modality, vector };
  };
}

/** The files of the modality's encoder: a head that was trained anew gives other vectors in the same space. */
const towerOf = (bundle: Bundle, modality: Sensed): readonly string[] =>
  towerFiles(bundle.manifest, bundle.tower(modality)).map((file) => bundle.manifest.files[file]!.sha256);

/** Whoever may send commands may not make the node read any file: examples set by command lie in the configuration's folder. */
export function refuseForeignExamples(concept: ConceptText): void {
  const paths = examplesOf(concept).map((example) => ("file" in example ? example.file : example.recording));
  const foreign = paths.find((path) => isAbsolute(path) || path.split(/[/\\]/).includes(".."));
  if (foreign === undefined) return;
  throw new SenseError("BAD_ARGUMENT", `the example ${foreign} is not in the configuration's folder`, {
    hint: "Put the file there, or name it in the configuration file itself.",
  });
}

function withoutPath(example: Example): unknown {
  if ("recording" in example) return { ...example, recording: undefined };
  return { ...example, file: undefined };
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(path), hash).catch((cause: NodeJS.ErrnoException) => {
    throw new SenseError("FILE_UNREADABLE", `the example ${path} cannot be read (${cause.code ?? cause.message})`, {
      hint: "Relative paths start at the configuration's folder.",
      cause,
    });
  });
  return hash.digest("hex");
}

async function modalityOf(example: Example, path: string): Promise<Sensed> {
  if ("recording" in example) return (await recordedSensor(path, example.sensor)).modality;
  const modality = ("modality" in example ? example.modality : undefined) ?? modalityOfName(path);
  if (modality !== undefined) return modality;
  throw new SenseError("BAD_CONFIG", `the name of the example ${example.file} does not tell its modality`, {
    hint: `Write { file: ${example.file}, modality: thermal }, or whichever it is.`,
  });
}

interface Way {
  readonly bundle: Bundle;
  readonly modality: Sensed;
}

/** The mean over the file's clips, or over the windows that lie in the span. */
async function encode(example: Example, path: string, { bundle, modality }: Way): Promise<UnitVector> {
  if ("file" in example) {
    const { preprocess: recipe, window } = bundle.tower(modality);
    const reading = await readFileReading(path, { ...example, modality, recipe });
    return (await bundle.encode(modality, fileClips(recipe, reading, { hop: window?.hop }))).vector;
  }
  const within: UnitVector[] = [];
  let start: number | undefined;
  for await (const { from, to, vector } of recordedEmbeddings(path, bundle, example)) {
    start ??= from;
    if (from - start < example.to && to - start > example.from) within.push(vector);
    if (from - start >= example.to) break;
  }
  if (within.length > 0) return meanOf(within, 1).vector;
  throw new SenseError("BAD_CONFIG", `${exampleName(example)}: there is no window in that span`, {
    hint: "from and to are counted from the sensor's first reading.",
  });
}
