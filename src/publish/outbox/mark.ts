import { type FileHandle, open } from "node:fs/promises";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Losses } from "../messages.js";
import { type Lane, lanes } from "./letter.js";

/** What the outbox knows beside its letters. */
export interface Mark {
  /** Every letter up to this position is settled. */
  readonly settled: number;
  /** Every letter up to this position is on disk, or was given up. */
  readonly written: number;
  /** How long nodes have been running with this outbox, in ms: a clock that jumps cannot change it. */
  readonly age: number;
  readonly nextSeq: number;
  readonly losses: Losses;
  /** A segment that is about to be deleted to make room: what is lost with it is counted in `losses` already. */
  readonly giving?: Giving | undefined;
}

export interface Giving {
  readonly lane: Lane;
  /** Position of its first letter, which its file is named by. */
  readonly first: number;
}

const slotSize = 72;
const nothing: Mark = {
  settled: -1,
  written: -1,
  age: 0,
  nextSeq: 0,
  losses: { embeddings: 0, updates: 0, events: 0 },
};

/**
 * The mark on disk: two slots, written in turn and in place, each with a checksum. A slot that was cut by a crash leaves
 * the other; a full disk does not hinder it, since the file never grows.
 */
export class MarkFile implements AsyncDisposable {
  readonly mark: Mark;
  readonly #file: FileHandle;
  #turn: number;

  private constructor(file: FileHandle, mark: Mark, turn: number) {
    this.#file = file;
    this.mark = mark;
    this.#turn = turn;
  }

  static async open(folder: string): Promise<MarkFile> {
    const file = await open(join(folder, "mark"), "a+").then(async (made) => {
      await made.close();
      return open(join(folder, "mark"), "r+");
    });
    const bytes = Buffer.alloc(2 * slotSize);
    await file.read(bytes, 0, bytes.length, 0);
    const [mark, turn] = newest(bytes);
    const opened = new MarkFile(file, mark, turn + 1);
    // Both slots now, so that the file has its full size before the disk can be full.
    await opened.write(mark);
    await opened.write(mark);
    return opened;
  }

  async write(mark: Mark): Promise<void> {
    const bytes = encodeMark(mark, this.#turn);
    await this.#file.write(bytes, 0, slotSize, (this.#turn % 2) * slotSize);
    this.#turn++;
  }

  sync(): Promise<void> {
    return this.#file.datasync();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#file.close();
  }
}

/** As one number, 0 for none: what the slots of an earlier version hold there. */
const encodeGiving = (giving: Giving | undefined): number =>
  giving === undefined ? 0 : 1 + lanes.indexOf(giving.lane) + lanes.length * giving.first;

function decodeGiving(number: number): Giving | undefined {
  const lane = lanes[(number - 1) % lanes.length];
  return number === 0 || lane === undefined ? undefined : { lane, first: Math.floor((number - 1) / lanes.length) };
}

function encodeMark({ settled, written, age, nextSeq, losses, giving }: Mark, turn: number): Buffer {
  const bytes = Buffer.alloc(slotSize);
  bytes.writeUInt32LE(turn, 4);
  const numbers = [
    settled,
    written,
    age,
    nextSeq,
    losses.embeddings,
    losses.updates,
    losses.events,
    encodeGiving(giving),
  ];
  for (const [i, number] of numbers.entries()) bytes.writeDoubleLE(number, 8 + 8 * i);
  bytes.writeUInt32LE(crc32(bytes.subarray(4)), 0);
  return bytes;
}

/** The newest of the two slots that is whole, and its turn. */
export function newest(bytes: Buffer): [Mark, number] {
  let best: [Mark, number] = [nothing, -1];
  for (const at of [0, slotSize]) {
    const slot = bytes.subarray(at, at + slotSize);
    if (slot.length < slotSize || crc32(slot.subarray(4)) !== slot.readUInt32LE(0)) continue;
    const turn = slot.readUInt32LE(4);
    if (turn <= best[1]) continue;
    const number = (index: number): number => slot.readDoubleLE(8 + 8 * index);
    const losses = { embeddings: number(4), updates: number(5), events: number(6) };
    const giving = decodeGiving(number(7));
    best = [{ settled: number(0), written: number(1), age: number(2), nextSeq: number(3), losses, giving }, turn];
  }
  return best;
}
