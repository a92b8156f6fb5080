import { copyFile, link, mkdir, readdir, readFile, realpath, rename, rm, rmdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import * as z from "zod";
import { SenseError } from "../../core/errors.js";
import { type FileEntry, hashFile } from "./hash-file.js";

const Entry = z.strictObject({ sha256: z.string(), bytes: z.number() });

/** What is done already, in a draft's own file. */
const Progress = z.strictObject({
  /** Identity of what is imported; another source or other options start anew. */
  source: z.string(),
  parts: z.record(z.string(), z.record(z.string(), Entry)),
});
type Progress = z.infer<typeof Progress>;

const progressFile = "progress.json";

/**
 * A bundle in the making: a folder `<out>.part` that becomes `<out>` by one rename when it is complete, so that no half-written
 * bundle is ever there. Finished parts are remembered, so that an interrupted import goes on where it was.
 */
export class Draft {
  readonly dir: string;
  readonly #out: string;
  #progress: Progress;

  private constructor(out: string, progress: Progress) {
    this.#out = out;
    this.dir = `${out}.part`;
    this.#progress = progress;
  }

  /** Opens the draft for `out`, an earlier one of the same source included. Throws `BAD_ARGUMENT` where `out` exists. */
  static async open(out: string, source: string): Promise<Draft> {
    const target = resolve(out);
    const there = await readdir(target).catch(() => undefined);
    if (there !== undefined && there.length > 0) {
      throw new SenseError("BAD_ARGUMENT", `${out} is there already and not empty`, {
        hint: "choose another folder, or remove it first",
      });
    }
    const draft = new Draft(target, (await readProgress(target, source)) ?? { source, parts: {} });
    if (Object.keys(draft.#progress.parts).length === 0) await rm(draft.dir, { recursive: true, force: true });
    await mkdir(draft.dir, { recursive: true }).catch((cause: unknown) => {
      throw new SenseError("FILE_UNWRITABLE", `${draft.dir} cannot be created`, {
        hint: "Check that the folder exists and may be written to.",
        cause,
      });
    });
    return draft;
  }

  /** Files of all finished parts. */
  get files(): Readonly<Record<string, FileEntry>> {
    return Object.assign({}, ...Object.values(this.#progress.parts));
  }

  /** Makes a part by `write`, which tells its files, unless they are all there with the hashes of an earlier run. */
  async part(name: string, write: () => Promise<readonly string[]>): Promise<void> {
    if (await this.#isDone(name)) return;
    const files = await write();
    const entries = await Promise.all(files.map(async (file) => [file, await hashFile(join(this.dir, file))] as const));
    this.#progress.parts[name] = Object.fromEntries(entries);
    await writeFile(join(this.dir, progressFile), JSON.stringify(this.#progress, undefined, 2));
  }

  /** Copies a file into the draft as a part of its own. */
  async copy(from: string, file: string): Promise<void> {
    await mkdir(dirname(join(this.dir, file)), { recursive: true });
    await this.part(file, async () => {
      await copyFile(from, join(this.dir, file));
      return [file];
    });
  }

  /** Takes a file over from another bundle as a part of its own: linked where the file system can, else copied. */
  async share(from: string, file: string): Promise<void> {
    const to = join(this.dir, file);
    await mkdir(dirname(to), { recursive: true });
    await this.part(file, async () => {
      await rm(to, { force: true });
      // Of the file itself: a symbolic link in the base may lead elsewhere from here.
      await link(await realpath(from), to).catch(() => copyFile(from, to));
      return [file];
    });
  }

  /** Makes the draft the bundle. */
  async publish(): Promise<void> {
    await rm(join(this.dir, progressFile), { force: true });
    await rmdir(this.#out).catch(() => {});
    await rename(this.dir, this.#out);
  }

  /** Drops everything: after an error that another attempt would meet again. */
  async discard(): Promise<void> {
    await rm(this.dir, { recursive: true, force: true });
  }

  async #isDone(name: string): Promise<boolean> {
    for (const [file, { sha256 }] of Object.entries(this.#progress.parts[name] ?? { "": { sha256: "" } })) {
      const found = file === "" ? undefined : await hashFile(join(this.dir, file)).catch(() => undefined);
      if (found?.sha256 !== sha256) return false;
    }
    return true;
  }
}

async function readProgress(out: string, source: string): Promise<Progress | undefined> {
  const text = await readFile(join(`${out}.part`, progressFile), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const progress = Progress.parse(JSON.parse(text));
    return progress.source === source ? progress : undefined;
  } catch {
    // A progress file that was cut off by a power loss: the parts are made again.
    return undefined;
  }
}
