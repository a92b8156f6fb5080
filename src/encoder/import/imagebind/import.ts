import { stat } from "node:fs/promises";
import { basename } from "node:path";
import { isSenseError, SenseError } from "../../../core/errors.js";
import { sizeOf } from "../../../core/tensor.js";
import type { Manifest } from "../../manifest.js";
import type { Runtime } from "../../runtime.js";
import { bundleId } from "../bundle-id.js";
import type { Checkpoint } from "../checkpoint.js";
import { Draft } from "../draft.js";
import { needSpace } from "../free-space.js";
import { hashFile } from "../hash-file.js";
import { openCheckpoint } from "../open.js";
import { piecewise } from "../piecewise.js";
import { publish } from "../publish.js";
import { cardOf } from "./card.js";
import { readConfig } from "./config.js";
import { type Layout, originalNames, readLayouts, type TowerName } from "./layout.js";
import { describe, rawScaleOf } from "./manifest.js";
import { sizesOf } from "./sizes.js";
import { towerFiles, writeTower } from "./tower.js";

/** How far an import is. */
export interface ImportProgress {
  readonly tower: TowerName;
  /** Bytes of weights written, of all. */
  readonly done: number;
  readonly total: number;
}

export interface ImportOptions {
  /** Folder of the bundle; it must not be there yet. */
  readonly out: string;
  /** Path of CLIP's bpe_simple_vocab_16e6.txt.gz, which is copied into a bundle with a text tower. */
  readonly vocabulary: string;
  /** Makes the golden vectors. */
  readonly runtime: Runtime;
  /** The model's arguments (`--config`), for a model that is not imagebind_huge. */
  readonly config?: string | undefined;
  /** The towers to import; all that the checkpoint has unless given. */
  readonly modalities?: readonly TowerName[] | undefined;
  readonly onProgress?: ((progress: ImportProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** PARITY D: CLIP's vocabulary as OpenAI published it. */
const vocabularySha256 = "924691ac288e54409236115652ad4aa250f48203de50a9e4722a6ecd48d6804a";

/** Layouts by the original names, whatever prefix the file's names have. */
async function architecture(checkpoint: Checkpoint, { config, modalities }: ImportOptions) {
  const names = originalNames(checkpoint.tensors);
  const tensors = new Map([...names].map(([original, name]) => [original, checkpoint.tensors.get(name)!]));
  const args = config === undefined ? undefined : await readConfig(config);
  const all = readLayouts(tensors, args);
  const absent = modalities?.find((tower) => !all.has(tower));
  if (absent !== undefined) {
    throw new SenseError("MODALITY_UNSUPPORTED", `the checkpoint has no ${absent} tower`, {
      hint: `it has ${[...all.keys()].join(", ")}`,
    });
  }
  const layouts = new Map([...all].filter(([tower]) => modalities === undefined || modalities.includes(tower)));
  const sizes = new Map([...layouts].map(([tower, layout]) => [tower, sizesOf(layout, args)]));
  return { names, layouts, sizes };
}

const bytesOf = ({ expected, keys }: Layout): number =>
  [...expected].reduce((sum, [name, dims]) => (name === keys.mask ? sum : sum + 4 * sizeOf(dims)), 0);

/** What an earlier run has left there. */
const writtenBytes = ({ files }: Draft): number => Object.values(files).reduce((sum, { bytes }) => sum + bytes, 0);

/**
 * Imports an ImageBind checkpoint as a bundle of float32 graphs. One tensor at a time is in memory; an interrupted import of
 * the same file goes on where it was. Throws `BAD_CHECKPOINT` with a tensor's name, and then leaves nothing behind.
 */
export async function importImageBind(path: string, options: ImportOptions): Promise<Manifest> {
  await using checkpoint = await openCheckpoint(path);
  const { names, layouts, sizes } = await architecture(checkpoint, options);
  const { size, mtimeMs } = await stat(path);
  const draft = await Draft.open(options.out, `imagebind/1 ${size} ${mtimeMs} ${JSON.stringify([...sizes])}`);
  try {
    const total = [...layouts.values()].reduce((sum, layout) => sum + bytesOf(layout), 0);
    await needSpace(options.out, total - writtenBytes(draft));
    let before = 0;
    for (const [tower, layout] of layouts) {
      let done = before;
      const onBytes = (bytes: number): void => {
        done += bytes;
        options.onProgress?.({ tower, done, total });
      };
      const source = { checkpoint, names, layout, sizes: sizes.get(tower)! };
      const { signal } = options;
      await draft.part(tower, async () => {
        await writeTower(source, draft.dir, { onBytes, signal });
        return towerFiles(tower);
      });
      before += bytesOf(layout);
      options.onProgress?.({ tower, done: before, total });
    }
    if (layouts.has("text")) await copyVocabulary(draft, options.vocabulary);
    const rawScales = new Map<TowerName, number>();
    for (const [tower, layout] of layouts) rawScales.set(tower, await rawScaleOf(checkpoint, names, layout));
    const manifest = describe({ id: bundleId(options.out), layouts, sizes, rawScales });
    const source = { name: basename(path), sha256: (await hashFile(path)).sha256 };
    const card = cardOf({ manifest, layouts, source });
    return await publish(draft, { manifest, card, runtime: piecewise(options.runtime) });
  } catch (error) {
    if (isSenseError(error, "BAD_CHECKPOINT") || isSenseError(error, "BAD_BUNDLE")) await draft.discard();
    throw error;
  }
}

async function copyVocabulary(draft: Draft, path: string): Promise<void> {
  const file = "bpe_simple_vocab_16e6.txt.gz";
  const { sha256 } = await hashFile(path).catch((cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `CLIP's vocabulary ${path} cannot be read`, {
      hint: "Install the package again, or give OpenAI's bpe_simple_vocab_16e6.txt.gz.",
      cause,
    });
  });
  if (sha256 !== vocabularySha256) {
    throw new SenseError("BAD_BUNDLE", `${path} is not CLIP's vocabulary: its SHA-256 is ${sha256}`, {
      hint: `Use OpenAI's bpe_simple_vocab_16e6.txt.gz (sha256 ${vocabularySha256.slice(0, 8)}…).`,
    });
  }
  await draft.copy(path, file);
}
