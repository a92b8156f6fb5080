import { existsSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Document, parseDocument } from "yaml";
import { type Config, parseConcepts } from "../config.js";
import { SenseError } from "../core/errors.js";

/** A concept as a file has it. */
export type WrittenConcept = Readonly<Record<string, unknown>>;

/** The concepts of a file that a configuration includes. Throws `FILE_UNREADABLE`, `BAD_CONFIG`. */
export async function readConcepts(path: string): Promise<Config["concepts"]> {
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `the concepts in ${path} cannot be read`, {
      hint: "Paths of include start at the configuration's folder.",
      cause,
    });
  });
  return parseConcepts(text, path);
}

/** Puts a concept into a file, which is made if need be; what else is in it stays, comments included. */
export async function putConcept(path: string, id: string, concept: WrittenConcept): Promise<void> {
  const document = existsSync(path) ? parseDocument(await readFile(path, "utf8")) : new Document({});
  // What is there must be a file of concepts: anything else is not overwritten.
  if (existsSync(path)) await readConcepts(path);
  document.setIn(["concepts", id], document.createNode(concept));
  await save(path, document);
}

/** Takes a concept out of a file, if it is there. */
export async function dropConcept(path: string, id: string): Promise<void> {
  if (!existsSync(path)) return;
  const document = parseDocument(await readFile(path, "utf8"));
  if (document.deleteIn(["concepts", id])) await save(path, document);
}

/** Written beside and renamed, so that a crash leaves the old or the new file. */
async function save(path: string, document: Document): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(`${path}.new`, document.toString({ lineWidth: 0 }));
    await rename(`${path}.new`, path);
  } catch (cause) {
    throw new SenseError("FILE_UNWRITABLE", `${path} cannot be written`, { hint: "Check the folder.", cause });
  }
}
