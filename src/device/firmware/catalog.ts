import { readdir, readFile } from "node:fs/promises";
import { isAbsolute, resolve } from "node:path";
import { SenseError } from "../../core/errors.js";
import { nearest } from "../../core/suggest.js";
import { FirmwareSchema } from "./schema.js";

/** In the sources; a build is in dist/, one level further down, and the folder is not copied. */
const folders = ["../../../firmware-schemas/", "../../../../firmware-schemas/"].map(
  (path) => new URL(path, import.meta.url),
);

/** The ids of the schemas that come with the package, sorted. */
export async function schemaIds(): Promise<readonly string[]> {
  const files = (await shipped()).files;
  return files
    .filter((file) => /\.v\d+\.json$/.test(file))
    .map((file) => file.replace(/\.json$/, ""))
    .sort();
}

/** A schema by its id, or from a JSON file of your own. Throws `BAD_CONFIG`, `FILE_UNREADABLE`. */
export async function readSchema(id: string, { folder = "." }: { folder?: string } = {}): Promise<FirmwareSchema> {
  const own = id.endsWith(".json");
  const ids = await schemaIds();
  if (!own && !ids.includes(id)) {
    const near = nearest(id, ids);
    throw new SenseError("BAD_CONFIG", `no firmware schema is called "${id}"`, {
      hint: near ? `Did you mean "${near}"?` : `There are: ${ids.join(", ")}; or give a JSON file of your own.`,
    });
  }
  const file = own ? (isAbsolute(id) ? id : resolve(folder, id)) : new URL(`${id}.json`, (await shipped()).url);
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `the firmware schema ${id} cannot be read`, {
      hint: "Check its path.",
      cause,
    });
  });
  return parseSchema(text, id);
}

/** A schema from its JSON. Throws `BAD_CONFIG`. */
export function parseSchema(text: string, source: string): FirmwareSchema {
  try {
    return FirmwareSchema.parse(JSON.parse(text));
  } catch (cause) {
    const issues = (cause as { issues?: readonly { path: readonly PropertyKey[]; message: string }[] }).issues;
    const why =
      issues?.map(({ path, message }) => `${path.join(".")} ${message}`.trim()).join("; ") ?? "it is not JSON";
    throw new SenseError("BAD_CONFIG", `the firmware schema ${source} cannot be used: ${why}`, {
      hint: "Compare it with one of firmware-schemas/.",
      cause,
    });
  }
}

async function shipped(): Promise<{ url: URL; files: string[] }> {
  for (const url of folders) {
    const files = await readdir(url).catch(() => undefined);
    if (files) return { url, files };
  }
  throw new SenseError("INTERNAL", "the folder of firmware schemas is missing from the package");
}
