import type { Losses } from "../messages.js";
import type { LaneLog } from "./lane-log.js";
import { type Lane, lanes, lossOf } from "./letter.js";
import type { Giving } from "./mark.js";
import type { Kept } from "./record.js";
import type { Taken } from "./taken.js";

/** What becomes of letters whose place on disk is given up. */
export interface Leaving {
  readonly lose: (letter: Kept) => void;
  /** It goes to the end of the queue; gives its new position. */
  readonly requeue: (letter: Kept) => number;
  /** Notes on disk what is lost, before the segment that held it is deleted. */
  readonly note: (giving: Giving) => Promise<void>;
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
  /** Positions of letters that went to the end of the queue, until they are on disk there. */
  #homeless: ReadonlySet<number> = new Set();

  constructor(logs: Record<Lane, LaneLog>, taken: Taken, leaving: Leaving) {
    this.#lanes = logs;
    this.#taken = taken;
    this.#leaving = leaving;
  }

  /** Letters whose old place is given up go to the end of the queue. */
  save(letters: readonly Kept[]): void {
    this.#homeless = new Set([...this.#homeless, ...letters.map((letter) => this.#leaving.requeue(letter))]);
  }

  /**
   * What has been lost, and what a kill would lose now: letters whose old place is given up while their new one is not
   * written, and where the disk takes nothing, all that are in memory.
   */
  lossesAfterKill(losses: Losses, { failing }: { readonly failing: boolean }): Losses {
    const risk = { ...losses };
    const homeless = new Set<number>();
    for (const { pending, lane } of Object.values(this.#lanes)) {
      for (const { position } of pending) {
        if (this.#homeless.has(position)) homeless.add(position);
        if (failing || homeless.has(position)) risk[lossOf[lane]]++;
      }
    }
    this.#homeless = homeless;
    return risk;
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
    for (const log of logs)
      while (log.segments.length === 0 && log.pendingBytes > memoryBytes) this.#leave(log.shedPending());
  }

  /** Gives up the oldest of the first lane that has something on disk and counts no more than `lane`; false if none has. */
  async shedFor(lane: Lane): Promise<boolean> {
    const less = lanes.slice(0, lanes.indexOf(lane) + 1).map((name) => this.#lanes[name]);
    const log = less.find(({ segments }) => segments.length > 0);
    if (log !== undefined) await this.#shed(log);
    return log !== undefined;
  }

  /** A kill may come at any time: counted first, and deleted by the next start if need be, each loss counts once. */
  #shed(log: LaneLog): Promise<void> {
    return log.shed(async (letters, { lane, first }) => {
      this.#leave(letters);
      await this.#leaving.note({ lane, first });
    });
  }

  #leave(letters: readonly Kept[]): void {
    const left = letters.filter((letter) => letter.position > this.#taken.settled && !this.#taken.orphan(letter));
    const { lost, kept } = sortOut(left);
    this.save(kept);
    for (const letter of lost) this.#leaving.lose(letter);
  }
}

/** Every begin gets its end: one whose begin went out earlier is not given up. */
export function sortOut(letters: readonly Kept[]): { readonly lost: readonly Kept[]; readonly kept: readonly Kept[] } {
  const begun = new Set(letters.flatMap(({ edge }) => (edge?.phase === "begin" ? [edge.id] : [])));
  const isKept = ({ edge }: Kept): boolean => edge?.phase === "end" && !begun.has(edge.id);
  return { lost: letters.filter((letter) => !isKept(letter)), kept: letters.filter(isKept) };
}
