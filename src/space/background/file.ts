import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import * as z from "zod";
import { type Micros, minutes } from "../../core/time.js";
import type { SensorMemory } from "../recognise.js";

const Tail = z.strictObject({ anchor: z.number(), share: z.number(), scale: z.number(), shape: z.number() });

const Learned = z.strictObject({
  blocks: z.strictObject({
    maxima: z.array(z.number()),
    count: z.int(),
    current: z.strictObject({ from: z.number(), highest: z.number() }).exactOptional(),
  }),
  fit: z.strictObject({ tail: Tail, at: z.int() }).exactOptional(),
});

const Saved = z.strictObject({
  format: z.literal("sensebind.background/1"),
  space: z.string(),
  /** By sensor, by concept. */
  sensors: z.record(z.string(), z.record(z.string(), Learned)),
  /** What the scores came from, by sensor, by concept. */
  origins: z.record(z.string(), z.record(z.string(), z.string())).exactOptional(),
});

/** What the scores of a sensor's concepts came from, by sensor, by concept: other scores have another background. */
export type Origins = ReadonlyMap<string, Readonly<Record<string, string>>>;

/** The backgrounds of all sensors, by sensor id. */
export type Backgrounds = ReadonlyMap<string, SensorMemory["learned"]>;

/** What a file of backgrounds held, or why nothing of it can be used. */
export interface LoadedBackgrounds {
  readonly backgrounds: Backgrounds;
  /** Set where what was learned belongs to another space or cannot be read, and is given up. */
  readonly discarded?: string;
}

/** What has something to save. */
export interface Learner {
  readonly backgrounds: Backgrounds;
  readonly origins?: Origins;
}

/** What was learned is written this often, so that a power cut costs little. */
const saveEvery = minutes(10);

/** The file that keeps what was learned of the sensors' backgrounds over a restart, of one space. */
export class BackgroundFile {
  readonly #path: string;
  readonly #space: string;
  #saved: number | undefined;

  constructor(path: string, space: string) {
    this.#path = path;
    this.#space = space;
  }

  /**
   * What was learned before. Scores of another space, of other words or of another encoder say nothing about these: they are
   * discarded, and it says so.
   */
  load(origins?: Origins): LoadedBackgrounds {
    const none: Backgrounds = new Map();
    if (!existsSync(this.#path)) return { backgrounds: none };
    const saved = Saved.safeParse(parseJson(readFileSync(this.#path, "utf8")));
    if (!saved.success) return { backgrounds: none, discarded: `${this.#path} is damaged` };
    const { space, sensors, origins: before = {} } = saved.data;
    if (space !== this.#space) return { backgrounds: none, discarded: `it was learned in the space ${space}` };
    const given: string[] = [];
    const same = (sensor: string, concept: string): boolean =>
      origins === undefined || before[sensor]?.[concept] === origins.get(sensor)?.[concept];
    const kept = Object.entries(sensors).map(([sensor, learned]) => {
      const entries = Object.entries(learned).filter(([concept]) => {
        const stays = same(sensor, concept);
        if (!stays) given.push(`${sensor}.${concept}`);
        return stays;
      });
      return [sensor, Object.fromEntries(entries)] as const;
    });
    const backgrounds = new Map(kept);
    if (given.length === 0) return { backgrounds };
    return { backgrounds, discarded: `${given.join(", ")} had other words or another encoder` };
  }

  /** Written beside and renamed, so that a crash leaves the old or the new file. */
  save({ backgrounds, origins }: Learner): void {
    if ([...backgrounds.values()].every((learned) => Object.keys(learned).length === 0)) return;
    const saved = {
      format: "sensebind.background/1",
      space: this.#space,
      sensors: Object.fromEntries(backgrounds),
      ...(origins && { origins: Object.fromEntries(origins) }),
    };
    mkdirSync(dirname(this.#path), { recursive: true });
    writeFileSync(`${this.#path}.new`, JSON.stringify(saved), { flush: true });
    renameSync(`${this.#path}.new`, this.#path);
  }

  saveNowAndThen(learner: Learner, now: Micros): void {
    this.#saved ??= now;
    if (now - this.#saved < saveEvery) return;
    this.#saved = now;
    this.save(learner);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
