import { type FileHandle, open } from "node:fs/promises";
import { SenseError } from "../../core/errors.js";

/** A file that is read at positions, never as a whole: checkpoints are larger than memory. Single-use. */
export class BytesFile implements AsyncDisposable {
  readonly path: string;
  /** Length in bytes. */
  readonly size: number;
  readonly #file: FileHandle;

  private constructor(path: string, size: number, file: FileHandle) {
    this.path = path;
    this.size = size;
    this.#file = file;
  }

  /** Throws `FILE_UNREADABLE`. */
  static async open(path: string): Promise<BytesFile> {
    const file = await open(path).catch((cause: unknown) => {
      throw new SenseError("FILE_UNREADABLE", `${path} cannot be opened`, {
        hint: "Check the path and its permissions.",
        cause,
      });
    });
    return new BytesFile(path, (await file.stat()).size, file);
  }

  /** Bytes `[offset, offset + length)`. Throws `BAD_CHECKPOINT` where the file is shorter. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size)) {
      throw new SenseError(
        "BAD_CHECKPOINT",
        `${this.path} has ${this.size} bytes, but ${length} bytes at ${offset} are referred to`,
        { hint: "the file is damaged or was not downloaded completely" },
      );
    }
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      // Linux reads at most 2 GB at once; a smaller piece also bounds what the kernel copies in one go.
      const piece = Math.min(length - done, 2 ** 28);
      const { bytesRead } = await this.#file.read(bytes, done, piece, offset + done);
      if (bytesRead === 0) {
        throw new SenseError("FILE_UNREADABLE", `${this.path} became shorter while it was read`, {
          hint: "Wait until it is written or downloaded completely.",
        });
      }
      done += bytesRead;
    }
    return bytes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close();
  }
}
