import type { LaneLog } from "./lane-log.js";
import { type Lane, lanes } from "./letter.js";
import type { Kept } from "./record.js";
import type { Taken } from "./taken.js";

/** What becomes of letters whose place on disk is given up. */
export interface Leaving {
  readonly lose: (letter: Kept) => void;
  /** It goes to the end of the queue. */
  readonly requeue: (letter: Kept) => void;
}

export interface Bounds {
  readonly maxBytes: number;
  /** Letters that were appended before are too old, in ms of running time. */
  readonly oldestAge: number;
  /** Where the disk takes nothing: bytes that each lane may hold in memory. */
  readonly memoryBytes: number | undefined;
}

/** Gives up what counts least, oldest first, where there is no room. */
export class Room {
  readonly #lanes: Record<Lane, LaneLog>;
  readonly #taken: Taken;
  readonly #leaving: Leaving;

  constructor(logs: Record<Lane, LaneLog>, taken: Taken, leaving: Leaving) {
    this.#lanes = logs;
    this.#taken = taken;
    this.#leaving = leaving;
  }

  /** Keeps the outbox within its bounds; what waited too long goes first. */
  async keep({ maxBytes, oldestAge, memoryBytes }: Bounds): Promise<void> {
    const logs = lanes.map((name) => this.#lanes[name]);
    for (const log of logs) {
      while (log.segments.length > 1 && log.segments[0]!.lastAge < oldestAge) await this.#shed(log);
    }
    const size = () => logs.reduce((sum, { bytes }) => sum + bytes, 0);
    while (size() > maxBytes && (await this.shedFor("edge")));
    if (memoryBytes === undefined) return;
    for (const log of logs) while (log.segments.length === 0 && log.pendingBytes > memoryBytes) await this.#shed(log);
  }

  /** Gives up the oldest of the first lane that has something on disk and counts no more than `lane`; false if none has. */
  async shedFor(lane: Lane): Promise<boolean> {
    const less = lanes.slice(0, lanes.indexOf(lane) + 1).map((name) => this.#lanes[name]);
    const log = less.find(({ segments }) => segments.length > 0);
    if (log !== undefined) await this.#shed(log);
    return log !== undefined;
  }

  async #shed(log: LaneLog): Promise<void> {
    const letters = await log.shed();
    const lost = letters.filter((letter) => letter.position > this.#taken.settled && !this.#taken.orphan(letter));
    const begun = new Set(lost.flatMap(({ edge }) => (edge?.phase === "begin" ? [edge.id] : [])));
    for (const letter of lost) {
      // Every begin gets its end: one whose begin went out earlier is not given up.
      if (letter.edge?.phase === "end" && !begun.has(letter.edge.id)) this.#leaving.requeue(letter);
      else this.#leaving.lose(letter);
    }
  }
}
