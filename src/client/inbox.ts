import { type ParsedTopic, parseTopic, type TopicKind, topicTable } from "../publish/topics.js";
import type { Arrival } from "./mqtt.js";

/** Messages that wait for one reader; beyond that, the oldest gives way and is counted. */
export const waitingAtMost = 10_000;

export type Listener = (parsed: ParsedTopic, arrival: Arrival) => void;

export type Listeners = { readonly [K in TopicKind]?: Listener };

interface InboxOptions {
  /** Whether the broker keeps a session, which brings messages before anyone can have asked for them. */
  readonly session: boolean;
}

/** What arrives from the broker, given to those who listen and, as far as it is still of use, to those who come later. */
export class Inbox {
  readonly #listeners = new Map<TopicKind, Set<Listener>>();
  /** The newest of each retained topic, for readers that come later. */
  readonly #retained = new Map<string, Arrival>();
  readonly #session: boolean;
  #early: Arrival[] = [];
  #overrun = 0;

  constructor({ session }: InboxOptions) {
    this.#session = session;
  }

  /** Early messages that gave way to newer ones. */
  get overrun(): number {
    return this.#overrun;
  }

  receive(arrival: Arrival): void {
    const parsed = parseTopic(arrival.topic);
    if (parsed === undefined || !this.#isNews(parsed.kind, arrival)) return;
    const listeners = this.#listeners.get(parsed.kind);
    if (listeners === undefined || listeners.size === 0) this.#keep(arrival);
    else for (const listener of listeners) listener(parsed, arrival);
  }

  /** Gives what came before, then each message as it comes, until the returned function is called. */
  listen(listeners: Listeners): () => void {
    const entries = Object.entries(listeners) as [TopicKind, Listener][];
    for (const [kind, listener] of entries) {
      const set = this.#listeners.get(kind) ?? new Set();
      this.#listeners.set(kind, set.add(listener));
    }
    this.#replay(listeners);
    return () => {
      for (const [kind, listener] of entries) this.#listeners.get(kind)?.delete(listener);
    };
  }

  /** What a session brings comes before anyone can have asked for it. */
  #keep(arrival: Arrival): void {
    if (!this.#session || topicTable[parseTopic(arrival.topic)!.kind].retained) return;
    this.#early.push(arrival);
    if (this.#early.length > waitingAtMost) {
      this.#early.shift();
      this.#overrun++;
    }
  }

  /** What came before this reader: the newest of retained topics, and what a session brought that nobody has read. */
  #replay(listeners: Listeners): void {
    const unread = this.#early.filter(({ topic }) => listeners[parseTopic(topic)!.kind] === undefined);
    for (const arrival of [...this.#retained.values(), ...this.#early]) {
      const parsed = parseTopic(arrival.topic)!;
      listeners[parsed.kind]?.(parsed, arrival);
    }
    this.#early = unread;
  }

  /** Retained messages come again with each subscription, and when a node repeats them: only a change is news. */
  #isNews(kind: TopicKind, arrival: Arrival): boolean {
    if (!topicTable[kind].retained) return true;
    const before = this.#retained.get(arrival.topic)?.payload;
    this.#retained.set(arrival.topic, arrival);
    return before === undefined || !same(before, arrival.payload);
  }
}

const same = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);
