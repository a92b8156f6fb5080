import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import { encodeNpy } from "../../core/npy.js";
import { tensor } from "../../core/tensor.js";
import { readNpy } from "../../device/decode/npy.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Encoded } from "../../encoder/mean.js";
import { withBundle } from "../bundles.js";
import type { EmbeddingLine } from "../embedding-line.js";
import { encodeFiles } from "../encode-files.js";
import { FileStore } from "../file-store.js";
import { collect, type EncodingFlags, encodingOptions, parseModality } from "../options.js";
import { digits, printJson, progress } from "../print.js";
import { readWords } from "../read-words.js";
import { Skipped } from "../skipped.js";
import { itemsOf } from "../tensor-batch.js";

interface Flags extends EncodingFlags {
  readonly tensor?: string;
  readonly text?: readonly string[];
  readonly out?: string;
  readonly store?: string;
  readonly raw?: boolean;
}

export function register(program: Command): void {
  const command = program
    .command("embed")
    .description("unit vectors of files, tensors or words")
    .argument("<modality>", "vision, text, audio, depth, thermal, imu or other", parseModality)
    .argument("[files...]", "files of that modality")
    .option("--tensor <in.npy>", "a batch as `preprocess` writes it")
    .option("--text <words>", "words; may be given several times", collect)
    .option("--out <v.npy>", "write the vectors as float32 [n, dim]")
    .option("--store <folder>", "keep the vectors of the files in a store that `search` reads")
    .option("--raw", "the original model's own output: logit scale applied, clips averaged, not unit length");
  encodingOptions(command).action(embed);
}

interface Named {
  readonly source: string;
  readonly encoded: Encoded;
}

async function embed(modality: Modality, files: readonly string[], flags: Flags): Promise<void> {
  if (flags.text !== undefined && modality !== "text") {
    throw new SenseError("BAD_ARGUMENT", `--text gives words, but the modality is ${modality}`, {
      hint: "sensebind embed text --text …",
    });
  }
  if (files.length === 0 && flags.text === undefined && flags.tensor === undefined) {
    throw new SenseError("BAD_ARGUMENT", "there is nothing to embed", { hint: "Give files, --text or --tensor." });
  }
  await withBundle({ bundle: flags.bundle, many: files.length > 8 }, async (bundle) => {
    const skipped = new Skipped(flags);
    const vectors: Float32Array[] = [];
    const store = flags.store === undefined ? undefined : new FileStore(flags.store, bundle);
    for await (const { source, encoded } of sources(bundle, { modality, files, flags, skipped })) {
      const vector = flags.raw ? encoded.raw : encoded.vector;
      vectors.push(vector);
      await store?.add(source, modality, encoded.vector);
      progress(vectors.length + skipped.count, files.length);
      if (flags.json || (flags.out === undefined && store === undefined)) {
        const line: EmbeddingLine = {
          source,
          modality,
          space: bundle.space,
          dim: vector.length,
          vector: digits(vector),
        };
        printJson(line);
      }
    }
    store?.flush();
    if (flags.out !== undefined && vectors.length > 0) await writeVectors(flags.out, vectors);
    skipped.finish(vectors.length);
  });
}

interface Asked {
  readonly modality: Modality;
  readonly files: readonly string[];
  readonly flags: Flags;
  readonly skipped: Skipped;
}

async function* sources(bundle: Bundle, { modality, files, flags, skipped }: Asked): AsyncGenerator<Named> {
  if (flags.tensor !== undefined) yield* tensorRows(bundle, modality, flags.tensor);
  if (modality === "text") {
    const words = [...(flags.text ?? []), ...(await readWords(files))];
    for (const encoded of await bundle.encodeText(words)) yield { source: encoded.text, encoded };
    return;
  }
  for await (const result of encodeFiles(bundle, files, { modality, ...flags })) {
    if ("encoded" in result) yield { source: result.path, encoded: result.encoded };
    else skipped.add(result.error);
  }
}

async function* tensorRows(bundle: Bundle, modality: Modality, path: string): AsyncGenerator<Named> {
  const items = itemsOf(await readNpy(path), bundle.tower(modality).preprocess);
  const encoded = await bundle.encodeAll(modality, items);
  for (const [i, item] of encoded.entries())
    yield { source: encoded.length === 1 ? path : `${path}#${i}`, encoded: item };
}

async function writeVectors(path: string, vectors: readonly Float32Array[]): Promise<void> {
  const dim = vectors[0]!.length;
  const data = new Float32Array(vectors.length * dim);
  for (const [i, vector] of vectors.entries()) data.set(vector, i * dim);
  await writeFile(path, encodeNpy(tensor([vectors.length, dim], data)));
}
