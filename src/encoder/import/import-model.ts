import { existsSync } from "node:fs";
import { readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { SenseError } from "../../core/errors.js";
import type { Manifest } from "../manifest.js";
import { readManifest } from "../manifest-file.js";
import { hashFile } from "./hash-file.js";
import { type ImportOptions, importImageBind } from "./imagebind/import.js";
import { type Precision, quantizeBundle } from "./quantize.js";
import { importTransformers } from "./transformers/import.js";

export interface ImportModelOptions extends ImportOptions {
  /** The first is written to `out`, each other to `<out>-<precision>`. */
  readonly precisions: readonly Precision[];
}

export interface ImportedBundle {
  readonly dir: string;
  readonly precision: Precision;
  readonly manifest: Manifest;
}

/**
 * Imports an ImageBind checkpoint, or a folder of ONNX models in the transformers.js layout, as one bundle for each precision.
 * The licence's notice is in the manifest, to be shown.
 */
export async function importModel(source: string, options: ImportModelOptions): Promise<readonly ImportedBundle[]> {
  const { precisions, out } = options;
  const dirOf = (precision: Precision): string => (precision === precisions[0] ? out : `${out}-${precision}`);
  const isFolder = (
    await stat(source).catch((cause: unknown) => {
      throw new SenseError("FILE_UNREADABLE", `${source} is not there`, {
        hint: "Give a checkpoint file, or the folder of a model in the layout of transformers.js.",
        cause,
      });
    })
  ).isDirectory();
  const isKept = precisions.includes("fp32");
  const base = isKept ? dirOf("fp32") : `${out}.fp32`;
  // Left by a run that was killed between the import and the end of the quantisation.
  if (!isKept) await rm(base, { recursive: true, force: true });
  const isResumed = isKept && precisions.length > 1 && !isFolder && (await isImportOf(base, source));
  if (!isResumed) await (isFolder ? importTransformers : importImageBind)(source, { ...options, out: base });
  try {
    const bundles: ImportedBundle[] = [];
    for (const precision of precisions) {
      const dir = dirOf(precision);
      const isThere = precision === "fp32" || (isResumed && existsSync(join(dir, "manifest.json")));
      if (!isThere) await quantizeBundle(base, { ...options, out: dir, precision, onProgress: undefined });
      bundles.push({ dir, precision, manifest: await readManifest(dir) });
    }
    return bundles;
  } finally {
    if (!isKept) await rm(base, { recursive: true, force: true });
  }
}

/** Whether a bundle is there already that was made of this very file, by an earlier run that did not get to its end. */
async function isImportOf(dir: string, source: string): Promise<boolean> {
  const card = await readFile(join(dir, "card.md"), "utf8").catch(() => undefined);
  if (card === undefined) return false;
  return card.includes((await hashFile(source)).sha256);
}
