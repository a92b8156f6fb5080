import { mkdir } from "node:fs/promises";
import { hours } from "../../core/time.js";
import type { Losses } from "../messages.js";
import type { DiskOutboxOptions } from "./disk-options.js";
import { LaneLog } from "./lane-log.js";
import { type Lane, type Letter, lanes, lossOf, type Outbox, type Recovered, type Stored } from "./letter.js";
import { lockFolder } from "./lock.js";
import { type Giving, MarkFile } from "./mark.js";
import { MarkWriter } from "./mark-writer.js";
import { oldest } from "./oldest.js";
import type { Kept } from "./record.js";
import { adopt, type Counted } from "./recovery.js";
import { Room } from "./room.js";
import { Taken } from "./taken.js";

/** Letters that the disk has not taken yet: bounded too. */
const pendingBytes = 32 * 2 ** 20;
/** A power cut loses what was written in the last second; a kill -9 loses nothing that was written. */
const syncEveryMs = 1000;
const retryMs = 200;

const noRoom = new Set(["ENOSPC", "EDQUOT"]);

export type { DiskOutboxOptions } from "./disk-options.js";

/** The outbox on disk: appended in groups, bounded, in order, and whole again after a kill -9 at any byte. */
export class DiskOutbox implements Outbox {
  readonly recovered: Recovered;
  onReady: () => void = () => {};
  readonly #options: Required<DiskOutboxOptions>;
  readonly #lanes: Record<Lane, LaneLog>;
  readonly #ordered: readonly LaneLog[];
  readonly #mark: MarkWriter;
  readonly #lock: AsyncDisposable;
  readonly #taken: Taken;
  readonly #room: Room;
  readonly #ageAtStart: number;
  #next: number;
  #nextSeq: number;
  #count: number;
  #losses: Losses;
  #work: Promise<void> | undefined;
  #again = false;
  #failing = false;
  #retry: NodeJS.Timeout | undefined;
  #sync: NodeJS.Timeout | undefined;
  /** Callers that wait for everything to be on disk, the mark included. */
  #flushing = 0;

  private constructor(found: Found) {
    this.#options = found.options;
    this.#lanes = found.lanes;
    this.#ordered = lanes.map((name) => found.lanes[name]);
    this.#mark = new MarkWriter(found.mark, () => void this.#schedule());
    this.#lock = found.lock;
    this.#losses = found.mark.mark.losses;
    this.#lose("edge", -found.saved.length);
    this.#taken = new Taken(found.mark.mark.settled);
    this.#room = new Room(found.lanes, this.#taken, {
      lose: ({ lane }) => {
        this.#count--;
        this.#lose(lane);
      },
      requeue: (letter) => {
        this.#count--;
        this.append(letter);
        return this.#next - 1;
      },
      note: (giving) => this.#writeMark(giving),
    });
    this.#next = found.next;
    this.#nextSeq = found.nextSeq;
    this.#count = found.count;
    this.#ageAtStart = found.age - found.options.uptime();
    this.#room.save(found.saved);
    this.recovered = { open: [...found.lanes.edge.open.values()], nextSeq: found.nextSeq };
  }

  /** Opens the outbox in a folder, which is made if it is missing. Throws `OUTBOX_IN_USE`. */
  static async open(given: DiskOutboxOptions): Promise<DiskOutbox> {
    const options = { maxBytes: 64 * 2 ** 20, maxAge: hours(7 * 24), uptime: () => performance.now(), ...given };
    const { folder, maxBytes } = options;
    await mkdir(folder, { recursive: true });
    const lock = await lockFolder(folder);
    try {
      const mark = await MarkFile.open(folder);
      const segmentBytes = Math.min(Math.max(maxBytes / 64, 2 ** 14), 2 ** 18);
      const lane = (name: Lane) => new LaneLog({ folder, lane: name, segmentBytes });
      const found = { embedding: lane("embedding"), update: lane("update"), edge: lane("edge") };
      return new DiskOutbox({ options, lock, mark, lanes: found, ...(await adopt(folder, found, mark.mark)) });
    } catch (error) {
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  get next(): number {
    return this.#next;
  }

  get losses(): Losses {
    return this.#losses;
  }

  get pending(): number {
    return this.#count;
  }

  append(letter: Letter): void {
    const lane = this.#lanes[letter.lane];
    if (lane.pendingBytes + letter.payload.length > pendingBytes) {
      this.#lose(letter.lane);
      return;
    }
    lane.append(letter, this.#next++, this.#age());
    this.#nextSeq = Math.max(this.#nextSeq, (letter.seq ?? -1) + 1);
    this.#count++;
    this.#schedule();
  }

  take(): Stored | undefined {
    for (;;) {
      const found = this.#oldest();
      if (found === undefined) return undefined;
      this.#lanes[found.lane].shift();
      const again = this.#taken.take(found);
      if (again === "settled") this.#schedule();
      else if (this.#age() - found.age <= this.#options.maxAge / 1e3) return found;
      else {
        this.#lose(found.lane);
        this.settle(found.position);
      }
    }
  }

  #oldest(): Kept | undefined {
    const found = oldest(this.#ordered, { after: this.#taken.last, lend: this.#failing });
    if (!(found instanceof LaneLog)) return found;
    void this.#fill(found);
    return undefined;
  }

  async #fill(lane: LaneLog): Promise<void> {
    const damaged = await lane.fill(this.#taken.last);
    if (damaged > 0) {
      this.#options.log.error({ lane: lane.lane, letters: damaged }, "letters in the outbox can no longer be read");
      this.#lose(lane.lane, damaged);
      this.#count -= damaged;
    }
    this.onReady();
  }

  settle(position: number): void {
    if (!this.#taken.settle(position)) return;
    this.#count--;
    for (const name of lanes) this.#lanes[name].settle(this.#taken.settled);
    this.#schedule();
  }

  rewind(): void {
    for (const { lane } of this.#taken.rewind()) {
      this.#lose(lane);
      this.#count--;
    }
    for (const name of lanes) this.#lanes[name].rewind();
  }

  async flush(): Promise<void> {
    this.#flushing++;
    do await this.#schedule();
    while (!this.#failing && lanes.some((name) => this.#lanes[name].pending.length > 0));
    this.#flushing--;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.flush();
    for (const timer of [this.#retry, this.#sync]) clearTimeout(timer);
    await this.#attempt(() => this.#syncAll());
    for (const name of lanes) for (const segment of this.#lanes[name].segments) await segment.close();
    await this.#mark[Symbol.asyncDispose]();
    await this.#lock[Symbol.asyncDispose]();
  }

  #age(): number {
    return this.#ageAtStart + this.#options.uptime();
  }

  #lose(lane: Lane, count = 1): void {
    const field = lossOf[lane];
    this.#losses = { ...this.#losses, [field]: this.#losses[field] + count };
  }

  /** Everything that came while the disk was busy goes into the next write together. */
  #schedule(): Promise<void> {
    this.#again = true;
    this.#work ??= this.#run();
    return this.#work;
  }

  async #run(): Promise<void> {
    // What comes in the same breath is written together.
    await undefined;
    while (this.#again) {
      this.#again = false;
      await this.#cycle();
      this.onReady();
    }
    // Here and not in a `finally` of the promise: between the two, an append would find work that no longer looks.
    this.#work = undefined;
  }

  async #cycle(): Promise<void> {
    let failed = false;
    for (const name of lanes) if (!(await this.#commit(this.#lanes[name]))) failed = true;
    this.#failing = failed;
    const tidied = await this.#attempt(async () => {
      await this.#room.keep({
        maxBytes: this.#options.maxBytes,
        oldestAge: this.#age() - this.#options.maxAge / 1e3,
        memoryBytes: failed ? pendingBytes / 2 : undefined,
      });
      await this.#writeMark();
      // Only what the mark says: after a crash, letters that are neither on disk nor settled would look like a torn write.
      for (const name of lanes) await this.#lanes[name].prune(this.#mark.written.settled);
    });
    if (failed || !tidied) {
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined;
        void this.#schedule();
      }, retryMs).unref();
    } else if (lanes.some((name) => this.#lanes[name].pending.length > 0)) this.#again = true;
    this.#sync ??= setTimeout(() => {
      this.#sync = undefined;
      void this.#attempt(() => this.#syncAll());
    }, syncEveryMs).unref();
  }

  /** A disk that fails must not end the node: false, and the log says why. */
  async #attempt(work: () => Promise<void>): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === undefined) throw error;
      this.#options.log.error({ why: message }, "the disk of the outbox fails");
      return false;
    }
  }

  /** True unless the disk takes nothing, even after everything that counts less was given up. */
  async #commit(lane: LaneLog): Promise<boolean> {
    for (;;) {
      try {
        await lane.commit();
        return true;
      } catch (error) {
        const { code, message } = error as NodeJS.ErrnoException;
        if (code === undefined) throw error;
        if (!this.#failing)
          this.#options.log.warn({ why: message }, "the disk does not take what waits for the broker");
        if (!noRoom.has(code) || !(await this.#shedFor(lane.lane))) return false;
      }
    }
  }

  async #shedFor(lane: Lane): Promise<boolean> {
    let shed = false;
    await this.#attempt(async () => {
      shed = await this.#room.shedFor(lane);
    });
    return shed;
  }

  async #writeMark(giving?: Giving): Promise<void> {
    const unwritten = Math.min(this.#next, ...this.#ordered.map(({ pending }) => pending[0]?.position ?? this.#next));
    // What the disk does not take must not keep a later start from what it did take.
    const newest = this.#failing ? Math.max(...this.#ordered.map(({ segments }) => segments.at(-1)?.last ?? -1)) : -1;
    const written = Math.max(unwritten - 1, newest);
    // What was never written was never sent: its numbers are used again, so that nobody looks for what never was.
    const seqs = this.#ordered.flatMap(({ pending }) => pending.find(({ seq }) => seq !== undefined)?.seq ?? []);
    const nextSeq = this.#failing ? this.#nextSeq : Math.min(this.#nextSeq, ...seqs);
    const losses = this.#room.lossesAfterKill(this.#losses, { failing: this.#failing });
    const mark = { settled: this.#taken.settled, written, age: this.#age(), nextSeq, losses, giving };
    await this.#mark.write(mark, { hurry: this.#flushing > 0 });
  }

  async #syncAll(): Promise<void> {
    for (const name of lanes) await this.#lanes[name].segments.at(-1)?.sync();
    await this.#mark.sync();
  }
}

interface Found extends Counted {
  readonly options: Required<DiskOutboxOptions>;
  readonly lanes: Record<Lane, LaneLog>;
  readonly mark: MarkFile;
  readonly lock: AsyncDisposable;
}
