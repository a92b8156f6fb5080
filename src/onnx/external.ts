import { type FileHandle, open } from "node:fs/promises";
import { basename } from "node:path";
import { SenseError } from "../core/errors.js";
import type { Storage } from "./value.js";

/** Weights start at page boundaries, so that ONNX Runtime maps them instead of reading them. */
export const pageSize = 4096;

/** A file of weights that one or several graphs of the same folder refer to; written front to back. Single-use. */
export class ExternalFile implements AsyncDisposable {
  readonly location: string;
  readonly #file: FileHandle;
  #end = 0;

  private constructor(path: string, file: FileHandle) {
    this.location = basename(path);
    this.#file = file;
  }

  static async create(path: string): Promise<ExternalFile> {
    return new ExternalFile(path, await open(path, "w"));
  }

  /** Length so far, in bytes. */
  get length(): number {
    return this.#end;
  }

  /** Appends a weight's bytes, given whole or in pieces, and tells where they are. */
  async append(pieces: Uint8Array | AsyncIterable<Uint8Array>): Promise<Storage & { readonly kind: "file" }> {
    const offset = Math.ceil(this.#end / pageSize) * pageSize;
    let at = offset;
    for await (const piece of pieces instanceof Uint8Array ? [pieces] : pieces) {
      await writeAll(this.#file, piece, at);
      at += piece.byteLength;
    }
    this.#end = at;
    return { kind: "file", location: this.location, offset, length: at - offset };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array, position: number): Promise<void> {
  for (let done = 0; done < bytes.byteLength; ) {
    const { bytesWritten } = await file
      .write(bytes, done, bytes.byteLength - done, position + done)
      .catch((cause: NodeJS.ErrnoException) => {
        const why = cause.code === "ENOSPC" ? "the disk is full" : cause.message;
        throw new SenseError("FILE_UNWRITABLE", `weights cannot be written at byte ${position + done}: ${why}`, {
          hint: "free some space, then run the command again",
          cause,
        });
      });
    done += bytesWritten;
  }
}

/** Bytes `[offset, offset + length)` of a file. Throws `FILE_UNREADABLE` where it is shorter. */
export async function readRange(path: string, offset: number, length: number): Promise<Uint8Array> {
  await using file = await open(path).catch((cause: unknown) => {
    throw new SenseError("FILE_UNREADABLE", `${path} cannot be opened`, {
      hint: "The weights of a graph lie beside it: copy both files.",
      cause,
    });
  });
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, offset + done);
    if (bytesRead === 0) {
      throw new SenseError("FILE_UNREADABLE", `${path} ends before byte ${offset + length}`, {
        hint: "The file is damaged or was not downloaded completely.",
      });
    }
    done += bytesRead;
  }
  return bytes;
}
