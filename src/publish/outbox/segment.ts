import { type FileHandle, open, readdir, stat, truncate, unlink } from "node:fs/promises";
import { join } from "node:path";
import { type Lane, lanes } from "./letter.js";
import { decodeRecord, type Record } from "./record.js";

/** One file of a lane: records appended in order of their positions. */
export class Segment {
  readonly lane: Lane;
  readonly path: string;
  readonly first: number;
  /** Position and age of the last letter; -1 and 0 for a segment without letters. */
  last = -1;
  lastAge = 0;
  letters = 0;
  /** Bytes that hold whole records; what a failed write left after them is not read. */
  bytes = 0;
  #file: FileHandle | undefined;

  constructor(folder: string, { lane, first }: { readonly lane: Lane; readonly first: number }) {
    this.lane = lane;
    this.first = first;
    this.path = join(folder, `${lane}-${String(first).padStart(16, "0")}.log`);
  }

  /** Appends whole records or nothing: what a full disk let through of them is cut off again. */
  async append(bytes: Buffer): Promise<void> {
    this.#file ??= await open(this.path, this.bytes === 0 ? "w+" : "r+");
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.bytes + done);
        done += bytesWritten;
      }
    } catch (error) {
      await this.#file.truncate(this.bytes);
      throw error;
    }
    this.bytes += bytes.length;
  }

  /** Bytes from an offset on; fewer where the disk does not give them. */
  async read(from: number, length: number): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(Math.min(length, this.bytes - from));
    try {
      this.#file ??= await open(this.path, "r+");
      const { bytesRead } = await this.#file.read(bytes, 0, bytes.length, from);
      return bytes.subarray(0, bytesRead);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
      return bytes.subarray(0, 0);
    }
  }

  async sync(): Promise<void> {
    await this.#file?.datasync();
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async remove(): Promise<void> {
    await this.close();
    await unlink(this.path).catch(unlessMissing);
  }

  /** Visits the whole records of a file that a crash left, and gives the offset after the last that was visited. */
  async scan(visit: (record: Record) => boolean): Promise<number> {
    this.bytes = (await stat(this.path)).size;
    const bytes = await this.read(0, this.bytes);
    let end = 0;
    for (let found = decodeRecord(bytes, end, this.lane); found; found = decodeRecord(bytes, end, this.lane)) {
      if (!visit(found.record)) break;
      end = found.end;
    }
    return end;
  }

  /** Takes over what a crash left: letters before a position count, later ones and a torn one are cut off. */
  async recover(visit: (record: Record) => void, before: number): Promise<void> {
    const end = await this.scan((record) => {
      if (record.kind === "letter" && record.letter.position >= before) return false;
      this.note(record);
      visit(record);
      return true;
    });
    if (end < this.bytes) await truncate(this.path, end);
    this.bytes = end;
  }

  note(record: Record): void {
    if (record.kind !== "letter") return;
    this.last = record.letter.position;
    this.lastAge = record.letter.age;
    this.letters++;
  }
}

/** The segments in a folder, oldest first. */
export async function findSegments(folder: string): Promise<Segment[]> {
  const found = (await readdir(folder)).flatMap((name) => {
    const [, lane, first] = /^([a-z]+)-(\d{16})\.log$/.exec(name) ?? [];
    return lanes
      .filter((known) => known === lane)
      .map((known) => new Segment(folder, { lane: known, first: Number(first) }));
  });
  return found.sort((a, b) => a.first - b.first);
}

function unlessMissing(error: NodeJS.ErrnoException): void {
  if (error.code !== "ENOENT") throw error;
}
