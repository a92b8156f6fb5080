import { type FileHandle, open } from "node:fs/promises";
import { crc32 } from "node:zlib";
import type { UnitVector } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";

/** Where a frame or window lies, with the mean luminance of a frame. */
export interface KeptVector {
  readonly vector: UnitVector;
  readonly light?: number;
}

/** What a file holds. */
export interface Contents {
  /** Of the encoder that made the vectors, 32 bytes: a file of another is begun anew. */
  readonly key: Uint8Array;
  readonly dim: number;
}

const magic = Buffer.from("SBVECS1\0");
const headerBytes = magic.length + 32;
/** CRC-32 of the rest, luminance (NaN where there is none), id; the vector follows. */
const [lightAt, idAt, vectorAt] = [4, 8, 24];
/** Records that are read at once; records between two syncs, all that a power loss can cost. */
const [atOnce, syncEvery] = [256, 32];

/**
 * Vectors by what they were made of, in a file that is only added to: each is there once it was added, whatever ends the process,
 * and a torn tail is cut off by the next opening. Throws `FILE_UNWRITABLE` where the disk is full. Single-use: after `dispose` it is
 * gone.
 */
export class KeptVectors implements AsyncDisposable {
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #dim: number;
  readonly #known: Map<string, KeptVector>;
  #end: number;
  #unsynced = 0;

  private constructor(path: string, file: FileHandle, { dim, known, end }: Found) {
    this.#path = path;
    this.#file = file;
    this.#dim = dim;
    this.#known = known;
    this.#end = end;
  }

  static async open(path: string, { key, dim }: Contents): Promise<KeptVectors> {
    try {
      const file = await open(path, "a+").then(async (made) => {
        await made.close();
        return open(path, "r+");
      });
      try {
        const header = Buffer.concat([magic, key]);
        const isOurs = await startsWith(file, header);
        if (!isOurs) await file.write(header, 0, headerBytes, 0);
        const found = isOurs ? await readAll(file, dim) : { dim, known: new Map(), end: headerBytes };
        await file.truncate(found.end);
        return new KeptVectors(path, file, found);
      } catch (error) {
        await file.close();
        throw error;
      }
    } catch (cause) {
      throw unwritable(path, cause);
    }
  }

  /** How many there are. */
  get size(): number {
    return this.#known.size;
  }

  get(id: string): KeptVector | undefined {
    return this.#known.get(id);
  }

  /** `id` is 16 bytes in hexadecimal. One call at a time. */
  async add(id: string, kept: KeptVector): Promise<void> {
    const { vector, light = Number.NaN } = kept;
    const record = Buffer.alloc(recordBytes(this.#dim));
    record.writeFloatLE(light, lightAt);
    record.write(id, idAt, "hex");
    record.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), vectorAt);
    record.writeUInt32LE(crc32(record.subarray(lightAt)), 0);
    try {
      for (let done = 0; done < record.length; ) {
        done += (await this.#file.write(record, done, record.length - done, this.#end + done)).bytesWritten;
      }
      if (++this.#unsynced >= syncEvery) await this.#sync();
    } catch (cause) {
      throw unwritable(this.#path, cause);
    }
    this.#end += record.length;
    this.#known.set(id, kept);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // What a full disk or a pulled card does not take is made again by the next run.
    await this.#sync().catch(() => {});
    await this.#file.close();
  }

  async #sync(): Promise<void> {
    await this.#file.datasync();
    this.#unsynced = 0;
  }
}

/** What was kept under an id, else what `make` gives, which is kept then; nothing for what has no vector. */
export async function remembered(
  kept: KeptVectors | undefined,
  id: () => string | Promise<string>,
  make: () => Promise<KeptVector | undefined>,
): Promise<KeptVector | undefined> {
  if (kept === undefined) return make();
  const name = await id();
  const known = kept.get(name);
  if (known !== undefined) return known;
  const made = await make();
  if (made !== undefined) await kept.add(name, made);
  return made;
}

const recordBytes = (dim: number): number => vectorAt + 4 * dim;

async function startsWith(file: FileHandle, header: Uint8Array): Promise<boolean> {
  const found = Buffer.alloc(header.length);
  const { bytesRead } = await file.read(found, 0, found.length, 0);
  return bytesRead === header.length && found.equals(header);
}

interface Found {
  readonly dim: number;
  readonly known: Map<string, KeptVector>;
  /** Where the next record goes. */
  readonly end: number;
}

/** Every record up to the first that is torn or damaged. */
async function readAll(file: FileHandle, dim: number): Promise<Found> {
  const known = new Map<string, KeptVector>();
  const size = recordBytes(dim);
  const block = Buffer.alloc(size * atOnce);
  for (let at = headerBytes; ; at += block.length) {
    const { bytesRead } = await file.read(block, 0, block.length, at);
    for (let from = 0; from + size <= bytesRead; from += size) {
      const record = block.subarray(from, from + size);
      const id = record.toString("hex", idAt, vectorAt);
      if (crc32(record.subarray(lightAt)) !== record.readUInt32LE(0)) return { dim, known, end: at + from };
      const vector = new Float32Array(Uint8Array.from(record.subarray(vectorAt)).buffer) as UnitVector;
      const light = record.readFloatLE(lightAt);
      known.set(id, { vector, ...(!Number.isNaN(light) && { light }) });
    }
    if (bytesRead < block.length) return { dim, known, end: at + bytesRead - (bytesRead % size) };
  }
}

function unwritable(path: string, cause: unknown): SenseError {
  const why = (cause as NodeJS.ErrnoException).code === "ENOSPC" ? "the disk is full" : (cause as Error).message;
  return new SenseError("FILE_UNWRITABLE", `${path} cannot be written: ${why}`, {
    hint: "Free some space, then start again: what was encoded until then is kept.",
    cause,
  });
}
