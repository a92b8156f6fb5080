import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { Event } from "../core/event.js";
import type { Micros } from "../core/time.js";
import type { Recognised } from "./recognise.js";

const Saved = Event.omit({ seq: true, latencyUs: true, explain: true }).array();

/**
 * The events that have begun and not ended, on disk, so that a node that was killed can end them when it comes back.
 * A begin is written before it is told to anyone, an end after: at worst an end is told twice, never not at all.
 */
export class OpenEvents {
  readonly #path: string;
  readonly #open = new Map<string, Recognised>();

  private constructor(path: string) {
    this.#path = path;
  }

  /** What the last run left open, as ends, and the file to keep from now on. A damaged file counts as empty. */
  static recover(path: string, at: Micros): { readonly openEvents: OpenEvents; readonly ends: readonly Recognised[] } {
    const openEvents = new OpenEvents(path);
    const left = read(path);
    for (const event of left) openEvents.#open.set(event.id, event);
    const ends = left.map((event): Recognised => {
      return { ...event, phase: "end", at: Math.max(at, event.at), reason: "restart" };
    });
    return { openEvents, ends };
  }

  /** Call with a begin or update before telling it to anyone. */
  before(event: Recognised): void {
    if (event.phase !== "begin") return;
    this.#open.set(event.id, event);
    this.#save();
  }

  /** Call with an end after it was handed on. */
  after(event: Recognised): void {
    if (event.phase === "end" && this.#open.delete(event.id)) this.#save();
  }

  #save(): void {
    const open = [...this.#open.values()].map(({ explain: _, ...event }) => event);
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(`${this.#path}.new`, JSON.stringify(open), { flush: true });
    renameSync(`${this.#path}.new`, this.#path);
  }
}

function read(path: string): readonly Recognised[] {
  try {
    return Saved.parse(JSON.parse(readFileSync(path, "utf8"))) as readonly Recognised[];
  } catch {
    // Missing on a first start; damaged only by a disk that lies about what it wrote. Neither may keep a node from starting.
    return [];
  }
}
