import { mkdir, readdir, rm, rmdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { SenseError } from "../../core/errors.js";
import type { Modality } from "../../core/modality.js";
import type { Bundle } from "../../encoder/bundle.js";
import { bad } from "./asked.js";
import { encoderKey } from "./content-id.js";
import { KeptVectors } from "./kept-vectors.js";

/** `<out>.calibrating`: what a calibration leaves there as it goes, so that the same command goes on from it. */
export class WorkFolder implements AsyncDisposable {
  readonly path: string;
  readonly #open = new Map<Modality, Promise<KeptVectors>>();

  private constructor(path: string) {
    this.path = path;
  }

  /** Before hours of recording and training, not after them. Throws `BAD_ARGUMENT`, `FILE_UNWRITABLE`. */
  static async open(out: string): Promise<WorkFolder> {
    const there = await readdir(out).catch((error: NodeJS.ErrnoException) => (error.code === "ENOTDIR" ? [out] : []));
    if (there.length > 0)
      throw bad(`${out} is there already and not empty`, "Choose another folder, or remove it first.");
    const parent = dirname(resolve(out));
    if (!(await stat(parent).catch(() => undefined))?.isDirectory()) {
      throw bad(`--out ${out}: there is no folder ${parent}`, "Make it first, or choose another place.");
    }
    const path = `${out}.calibrating`;
    await mkdir(path).catch((cause: NodeJS.ErrnoException) => {
      if (cause.code === "EEXIST") return;
      throw new SenseError("FILE_UNWRITABLE", `${path} cannot be made: ${cause.message}`, {
        hint: "Choose another --out, or see that its folder may be written to.",
        cause,
      });
    });
    return new WorkFolder(path);
  }

  /** Vectors of an encoder of the bundle that an earlier run left. */
  kept(modality: Exclude<Modality, "text">, bundle: Bundle): Promise<KeptVectors> {
    const opening =
      this.#open.get(modality) ??
      KeptVectors.open(join(this.path, `${modality}.vectors`), {
        key: encoderKey(bundle, modality),
        dim: bundle.manifest.dim,
      });
    this.#open.set(modality, opening);
    return opening;
  }

  /** What an earlier run left is no longer needed. */
  async remove(): Promise<void> {
    await this.#close();
    await rm(this.path, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
    // An empty one says nothing to go on from.
    await rmdir(this.path).catch(() => {});
  }

  async #close(): Promise<void> {
    const all = await Promise.allSettled(this.#open.values());
    this.#open.clear();
    await Promise.all(all.map((kept) => kept.status === "fulfilled" && kept.value[Symbol.asyncDispose]()));
  }
}
