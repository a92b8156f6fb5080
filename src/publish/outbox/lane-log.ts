import type { Lane, Letter } from "./letter.js";
import { decodeRecord, type Kept, type Record, RecordWriter } from "./record.js";
import { Segment } from "./segment.js";

/** Letters held in memory for the next takes: enough for a burst, little enough to be flat while the broker is away. */
const readyBytes = 2 ** 20;
const chunkBytes = 2 ** 18;

export interface LaneOptions {
  readonly folder: string;
  readonly lane: Lane;
  readonly segmentBytes: number;
}

/** Begins that are remembered at most: more are open at once only where ends are never sent. */
const mostOpen = 2048;

/** Where reading goes on: a segment, the offset in it, and how many of its letters are before that. */
interface Cursor {
  readonly segment: Segment | undefined;
  readonly offset: number;
  readonly letters: number;
}
const start: Cursor = { segment: undefined, offset: 0, letters: 0 };

/** One lane of the outbox: letters go to the end of its newest segment and are read from a cursor that follows. */
export class LaneLog {
  readonly lane: Lane;
  readonly segments: Segment[] = [];
  /** Appended, not on disk yet. */
  pending: Kept[] = [];
  pendingBytes = 0;
  /** Begins on disk that have no end on disk. */
  readonly open = new Map<string, Uint8Array>();
  readonly #options: LaneOptions;
  readonly #writer = new RecordWriter();
  #ready: Kept[] = [];
  #readyBytes = 0;
  /** Letters of `pending` that were taken because the disk did not take them. */
  #lent = 0;
  #cursor: Cursor = start;
  #filling: Promise<number> | undefined;
  #epoch = 0;

  constructor(options: LaneOptions) {
    this.#options = options;
    this.lane = options.lane;
  }

  get bytes(): number {
    return this.segments.reduce((sum, { bytes }) => sum + bytes, this.pendingBytes);
  }

  /** Takes over a segment of an earlier run, up to a position. */
  async adopt(segment: Segment, before: number): Promise<void> {
    await segment.recover((record) => this.#follow(record), before);
    this.segments.push(segment);
    // A copy, for these are views of a whole segment.
    for (const [id, payload] of this.open) this.open.set(id, Buffer.from(payload));
  }

  /** Field by field: a spread costs microseconds, and this runs for each message. */
  append({ lane, topic, payload, retain, space, seq, edge }: Letter, position: number, age: number): void {
    this.pending.push({ lane, topic, payload, retain, space, seq, edge, position, age });
    this.pendingBytes += payload.length;
  }

  /** Writes pending letters, at most a chunk's worth; they are ready to be taken when it resolves. */
  async commit(): Promise<void> {
    const letters = this.#batch();
    if (letters.length === 0) return;
    const segment = this.#active(letters[0]!.position);
    const before = segment.bytes;
    const fresh = before === 0 && this.lane === "edge";
    try {
      await segment.append(this.#writer.write(letters, fresh ? this.open : undefined));
    } catch (error) {
      if (before === 0 && this.segments.at(-1) !== segment) await segment.remove();
      throw error;
    }
    if (this.segments.at(-1) !== segment) this.segments.push(segment);
    for (const letter of letters) {
      const record: Record = { kind: "letter", letter };
      segment.note(record);
      this.#follow(record);
    }
    // A copy of the few that are still open: their bytes share a block with many others.
    for (const { edge, payload } of letters) {
      if (edge?.phase === "begin" && this.open.get(edge.id) === payload) this.open.set(edge.id, Buffer.from(payload));
    }
    this.#offer(this.#written(letters.at(-1)!.position), { segment, before });
  }

  /** Removes pending letters up to a position; gives those that nobody has taken. */
  #written(position: number): Kept[] {
    const fresh: Kept[] = [];
    while (this.pending.length > 0 && this.pending[0]!.position <= position) {
      const letter = this.#dropPending();
      if (this.#lent > 0) this.#lent--;
      else fresh.push(letter);
    }
    return fresh;
  }

  #dropPending(): Kept {
    const letter = this.pending.shift()!;
    this.pendingBytes -= letter.payload.length;
    return letter;
  }

  #batch(): Kept[] {
    let bytes = 0;
    const end = this.pending.findIndex((letter) => {
      bytes += letter.payload.length;
      return bytes > 4 * chunkBytes;
    });
    return this.pending.slice(0, end < 0 ? this.pending.length : Math.max(end, 1));
  }

  #active(position: number): Segment {
    const newest = this.segments.at(-1);
    if (newest !== undefined && newest.bytes < this.#options.segmentBytes) return newest;
    return new Segment(this.#options.folder, { lane: this.lane, first: position });
  }

  #follow(record: Record): void {
    if (record.kind === "snapshot") {
      this.open.clear();
      for (const [id, payload] of record.snapshot.open) this.open.set(id, payload);
    } else if (record.letter.edge?.phase === "begin") {
      this.open.set(record.letter.edge.id, record.letter.payload);
      if (this.open.size > mostOpen) this.open.delete(this.open.keys().next().value!);
    } else if (record.letter.edge?.phase === "end") {
      this.open.delete(record.letter.edge.id);
    }
  }

  /** A reader that has caught up gets new letters from memory; one that lags behind reads them from disk later. */
  #offer(letters: readonly Kept[], { segment, before }: { readonly segment: Segment; readonly before: number }): void {
    const { segment: at, offset } = this.#cursor;
    const caughtUp =
      at === undefined ? this.segments[0] === segment && before === 0 : this.#isEnd(at, offset, segment, before);
    if (!caughtUp || this.#filling !== undefined || this.#readyBytes > readyBytes) return;
    for (const letter of letters) {
      this.#ready.push(letter);
      this.#readyBytes += letter.payload.length;
    }
    this.#cursor = { segment, offset: segment.bytes, letters: segment.letters };
  }

  #isEnd(at: Segment, offset: number, segment: Segment, before: number): boolean {
    if (at === segment) return offset === before;
    return before === 0 && offset === at.bytes && this.segments.at(-2) === at;
  }

  /** The oldest letter on disk after `taken`; "later" if it has to be read first. */
  peek(taken: number): Kept | "later" | undefined {
    while (this.#ready.length > 0 && this.#ready[0]!.position <= taken) this.#pop();
    return this.#ready[0] ?? (this.#unread() ? "later" : undefined);
  }

  /** The oldest letter that is not on disk and was not given without. */
  get unwritten(): Kept | undefined {
    return this.pending[this.#lent];
  }

  /** Removes what `peek` gave, or else what `unwritten` gave. */
  shift(): void {
    if (this.#ready.length > 0) this.#pop();
    else this.#lent++;
  }

  #pop(): void {
    this.#readyBytes -= this.#ready.shift()!.payload.length;
  }

  #unread(): boolean {
    const { segment, offset } = this.#cursor;
    const newest = this.segments.at(-1);
    if (newest === undefined) return false;
    return segment !== newest || offset < newest.bytes;
  }

  /** Reads the next chunk of letters after `taken`; gives the number of letters that turned out to be unreadable. */
  fill(taken: number): Promise<number> {
    this.#filling ??= this.#fill(taken).finally(() => {
      this.#filling = undefined;
    });
    return this.#filling;
  }

  async #fill(taken: number): Promise<number> {
    const epoch = this.#epoch;
    const { segment, offset, letters: before } = this.#nextChunk(taken);
    if (segment === undefined) {
      // Everything on disk was taken already.
      const newest = this.segments.at(-1);
      this.#cursor = { segment: newest, offset: newest?.bytes ?? 0, letters: newest?.letters ?? 0 };
      return 0;
    }
    const chunk = await readLetters(segment, offset);
    if (epoch !== this.#epoch) return 0;
    for (const letter of chunk.letters) {
      if (letter.position <= taken) continue;
      this.#ready.push(letter);
      this.#readyBytes += letter.payload.length;
    }
    const read = before + chunk.letters.length;
    this.#cursor = { segment, offset: chunk.end, letters: chunk.damaged ? segment.letters : read };
    return chunk.damaged ? segment.letters - read : 0;
  }

  #nextChunk(taken: number): Cursor {
    const { segment } = this.#cursor;
    const index = segment === undefined ? -1 : this.segments.indexOf(segment);
    if (index >= 0 && this.#cursor.offset < segment!.bytes) return this.#cursor;
    const next = index < 0 ? this.segments.find(({ last }) => last > taken) : this.segments[index + 1];
    return { segment: next, offset: 0, letters: 0 };
  }

  /** Letters are given again from the first one that is not settled. */
  rewind(): void {
    this.#epoch++;
    this.#ready = [];
    this.#readyBytes = 0;
    this.#lent = 0;
    this.#cursor = start;
  }

  /** Forgets pending letters that the broker took although the disk did not. */
  settle(position: number): void {
    while (this.#lent > 0 && this.pending[0]!.position <= position) {
      this.#dropPending();
      this.#lent--;
    }
  }

  /** Gives up the oldest pending letter that nobody has taken. */
  shedPending(): readonly Kept[] {
    const letters = this.pending.splice(this.#lent, 1);
    for (const { payload } of letters) this.pendingBytes -= payload.length;
    return letters;
  }

  /** Deletes the oldest segment; what was in it is told before it is gone. */
  async shed(before: (letters: readonly Kept[], segment: Segment) => Promise<void>): Promise<void> {
    const oldest = this.segments[0];
    if (oldest === undefined) return;
    const letters: Kept[] = [];
    for (let offset = 0; offset < oldest.bytes; ) {
      const chunk = await readLetters(oldest, offset);
      letters.push(...chunk.letters);
      offset = chunk.end;
    }
    await before(letters, oldest);
    this.#epoch++;
    this.segments.shift();
    await oldest.remove();
    while (this.#ready.length > 0 && this.#ready[0]!.position <= oldest.last) this.#pop();
    if (this.#cursor.segment === oldest) this.#cursor = start;
  }

  /** Deletes segments whose letters are all settled; the newest one of the edges stays, for it knows what is open. */
  async prune(settled: number): Promise<boolean> {
    const before = this.segments.length;
    while (this.segments.length > 1 && this.segments[0]!.last <= settled) await this.segments.shift()!.remove();
    return this.segments.length < before;
  }
}

interface Chunk {
  readonly letters: Kept[];
  readonly end: number;
  /** The rest of the segment cannot be read. */
  readonly damaged: boolean;
}

async function readLetters(segment: Segment, from: number): Promise<Chunk> {
  for (let size = chunkBytes; ; size *= 2) {
    const bytes = await segment.read(from, size);
    const letters: Kept[] = [];
    let end = 0;
    for (let found = decodeRecord(bytes, end, segment.lane); found; found = decodeRecord(bytes, end, segment.lane)) {
      if (found.record.kind === "letter") letters.push(found.record.letter);
      end = found.end;
    }
    if (end > 0) return { letters, end: from + end, damaged: false };
    // Nothing whole in all that is left: the disk has changed what was written. Else one record is larger than the chunk.
    if (bytes.length < size || from + size >= segment.bytes) return { letters, end: segment.bytes, damaged: true };
  }
}
