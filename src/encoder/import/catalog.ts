import { readFile } from "node:fs/promises";
import * as z from "zod";
import { SenseError } from "../../core/errors.js";
import { Id, Modality } from "../../core/modality.js";

const WebAddress = z.url({ protocol: /^https?$/ });

/** One file of a model: where it goes in the folder, and where it comes from. */
const RemoteFile = z.strictObject({
  path: z.string().regex(/^(?!\/)(?!.*\.\.)[\w./-]+$/, "a path inside the folder"),
  url: WebAddress,
  bytes: z.int().positive().optional(),
  /** Absent where the publisher states none: then the hash is only reported. */
  sha256: z.hex().length(64).optional(),
});
export type RemoteFile = Readonly<z.infer<typeof RemoteFile>>;

/** What `models pull` can get by name. */
const CatalogEntry = z.strictObject({
  id: Id,
  title: z.string(),
  modalities: z.array(Modality).min(1),
  /** About this many bytes: parameters times four, where the publisher states no size. */
  bytes: z.int().positive(),
  licence: z.strictObject({ spdx: z.string(), nonCommercial: z.boolean(), url: WebAddress }),
  /** Page of the publisher. */
  from: WebAddress,
  /** What the files are: they are downloaded and then imported. */
  kind: z.enum(["imagebind", "transformers"]),
  files: z.array(RemoteFile).min(1),
});
export type CatalogEntry = Readonly<z.infer<typeof CatalogEntry>>;

export const Catalog = z.strictObject({
  format: z.literal("sensebind.catalog/1"),
  models: z.array(CatalogEntry),
});
export type Catalog = Readonly<z.infer<typeof Catalog>>;

/** models/catalog.json. Throws `BAD_BUNDLE` where it is damaged. */
export async function readCatalog(path: string): Promise<Catalog> {
  try {
    return Catalog.parse(JSON.parse(await readFile(path, "utf8")));
  } catch (cause) {
    throw new SenseError("BAD_BUNDLE", `${path} cannot be read as a catalog`, {
      hint: "Install the package again.",
      cause,
    });
  }
}
