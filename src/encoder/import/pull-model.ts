import { rm } from "node:fs/promises";
import { join } from "node:path";
import { SenseError } from "../../core/errors.js";
import type { Manifest } from "../manifest.js";
import type { Runtime } from "../runtime.js";
import type { Catalog } from "./catalog.js";
import { importModel } from "./import-model.js";
import { type PullOptions, pullBundle, pullFiles } from "./pull.js";

export interface PullModelOptions extends PullOptions {
  readonly catalog: Catalog;
  readonly runtime: Runtime;
  /** Path of CLIP's vocabulary, for a model that needs it. */
  readonly vocabulary: string;
}

export interface Pulled {
  readonly manifest: Manifest;
  /** SHA-256 of what was downloaded, for a model of the catalogue. */
  readonly hashes: ReadonlyMap<string, string>;
}

/**
 * Gets a bundle from its web address, or a model of the catalogue, which is downloaded and imported. What broke off goes on at
 * the next call. Throws `BAD_ARGUMENT` for a name that the catalogue does not have.
 */
export async function pullModel(name: string, options: PullModelOptions): Promise<Pulled> {
  if (/^https?:\/\//.test(name)) return { manifest: await pullBundle(name, options), hashes: new Map() };
  const entry = options.catalog.models.find(({ id }) => id === name);
  if (entry === undefined) {
    throw new SenseError("BAD_ARGUMENT", `the catalogue has no model ${name}`, {
      hint: `it has ${options.catalog.models.map(({ id }) => id).join(", ")}; or give a bundle's web address`,
    });
  }
  const { out, runtime, vocabulary, signal } = options;
  const folder = `${out}.download`;
  const hashes = await pullFiles(entry, { ...options, out: folder });
  const source = entry.kind === "imagebind" ? join(folder, entry.files[0]!.path) : folder;
  const [bundle] = await importModel(source, { out, runtime, vocabulary, precisions: ["fp32"], signal });
  await rm(folder, { recursive: true, force: true });
  return { manifest: bundle!.manifest, hashes };
}
