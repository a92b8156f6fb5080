import type { Losses } from "../messages.js";

/** What is given up first when there is no room: the oldest of the first lane that has any. */
export const lanes = ["embedding", "update", "edge"] as const;

/** `edge`: begins and ends of events, and alerts; `update`: what a newer message replaces; `embedding`: vectors. */
export type Lane = (typeof lanes)[number];

/** The field of `Losses` that counts a lane. */
export const lossOf = { embedding: "embeddings", update: "updates", edge: "events" } as const satisfies Record<
  Lane,
  keyof Losses
>;

/** A message on its way to the broker. */
export interface Letter {
  readonly lane: Lane;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  /** The space of a binary embedding. */
  readonly space?: string | undefined;
  /** `seq` of the Event or Alert within. */
  readonly seq?: number | undefined;
  /** The event or alert that this message begins or ends. */
  readonly edge?: { readonly id: string; readonly phase: "begin" | "end" } | undefined;
}

/** A letter with its place in the order of everything that this node sent. */
export interface Stored extends Letter {
  readonly position: number;
}

/** What an outbox found when it was opened: what a crash left unfinished. */
export interface Recovered {
  /** Payloads of begins that have no end yet, oldest first. */
  readonly open: readonly Uint8Array[];
  /** One more than the largest `seq` that was ever appended. */
  readonly nextSeq: number;
}

/** Messages between the pipeline and the broker: in order, bounded, each loss counted. */
export interface Outbox extends AsyncDisposable {
  readonly recovered: Recovered;
  readonly losses: Losses;
  /** The position that the next letter will get. */
  readonly next: number;
  /** Letters that are not settled yet. */
  readonly pending: number;
  /** Accepts a letter; `take` gives it once a crash can no longer lose it. Never waits, never throws. */
  append(letter: Letter): void;
  /** The next letter in order, or nothing for now: `onReady` is called when there may be one. */
  take(): Stored | undefined;
  /** The broker has acknowledged a letter, or refused it for good: it is never given again. */
  settle(position: number): void;
  /** The link is lost: letters that were taken and not settled are given again, in order. */
  rewind(): void;
  /** Resolves when all that was appended and settled so far survives a kill -9. */
  flush(): Promise<void>;
  onReady: () => void;
}
