import { createHash, randomUUID } from "node:crypto";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Vectors of texts on disk, one small file each, by space and by hash of the text. */
export class VectorCache {
  readonly #folder: string;
  readonly #dim: number;

  constructor(dir: string, space: string, dim: number) {
    this.#folder = join(dir, space.replace(":", "-"));
    this.#dim = dim;
  }

  /** `undefined` for a text that is not there, or whose file is damaged: it is then made again. */
  async get(text: string): Promise<Float32Array | undefined> {
    const bytes = await readFile(this.#path(text)).catch(() => undefined);
    if (bytes?.length !== this.#dim * 4) return undefined;
    return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  }

  /** Written beside and renamed, so that no reader ever sees half a vector. */
  async put(text: string, vector: Float32Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = this.#path(text);
    const draft = `${path}.${randomUUID()}`;
    await writeFile(draft, new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength));
    await rename(draft, path);
  }

  #path(text: string): string {
    return join(this.#folder, `${createHash("sha256").update(text).digest("hex")}.f32`);
  }
}
