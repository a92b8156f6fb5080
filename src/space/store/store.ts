import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { type Embedding, sameSpace } from "../../core/embedding.js";
import { SenseError } from "../../core/errors.js";
import type { Duration, Micros } from "../../core/time.js";
import { Segment } from "./segment.js";
import { StoreIndex } from "./store-index.js";

const About = z.strictObject({
  format: z.literal("sensebind.store/1"),
  space: z.string(),
  dim: z.int().positive(),
  sensors: z.array(z.string()),
});
type About = z.infer<typeof About>;

export interface StoreLimits {
  /** Whole segments are given up, the oldest first, when the store is larger. */
  readonly maxBytes?: number;
  /** Whole segments are given up when their newest row is older than this, by the newest row of the store. */
  readonly maxAge?: Duration;
  /** A segment this large is sealed and never written again. */
  readonly segmentBytes?: number;
}

/** Embeddings that are written together: one wait for the disk serves them all. */
const group = 64;

/** Embeddings on disk, of one space: append-only, bounded by size and age, safe against a crash at any time. */
export class Store {
  readonly folder: string;
  /** Told when a segment is full and will not be written again. */
  onSealed: (() => void) | undefined;
  readonly #limits: Required<StoreLimits>;
  #about: About;
  #segments: Segment[];
  #waiting: Embedding[] = [];
  #index: StoreIndex | undefined;

  private constructor(folder: string, about: About, limits: StoreLimits) {
    this.folder = folder;
    this.#about = about;
    this.#limits = {
      maxBytes: 2 ** 32,
      maxAge: Number.POSITIVE_INFINITY as Duration,
      segmentBytes: 2 ** 26,
      ...limits,
    };
    const names = readdirSync(folder).filter((name) => name.endsWith(".rows"));
    this.#segments = names.sort().map((name) => Segment.open(join(folder, name.slice(0, -".rows".length)), about.dim));
  }

  /** Opens a store, or makes one for `space`. Throws `SPACE_MISMATCH` for a store of another space, `BAD_STORE` for a damaged one. */
  static open(folder: string, space: { readonly id: string; readonly dim: number }, limits: StoreLimits = {}): Store {
    const path = join(folder, "store.json");
    if (!existsSync(path)) {
      mkdirSync(folder, { recursive: true });
      save(path, { format: "sensebind.store/1", space: space.id, dim: space.dim, sensors: [] });
    }
    const about = parse(path);
    if (about.space === space.id) return new Store(folder, about, limits);
    throw new SenseError(
      "SPACE_MISMATCH",
      `the store ${folder} holds the space ${about.space}, the bundle's is ${space.id}`,
      {
        hint: "Ask it with its own bundle, or fill another folder: `sensebind replay <recording> --config <c.yaml> --store <folder>`.",
      },
    );
  }

  /** Opens a store of whatever space, to read what is there. Throws `BAD_STORE` for a damaged one. */
  static openAny(folder: string): Store {
    return new Store(folder, parse(join(folder, "store.json")), {});
  }

  get space(): string {
    return this.#about.space;
  }

  get dim(): number {
    return this.#about.dim;
  }

  get segments(): readonly Segment[] {
    return this.#segments;
  }

  get count(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.count, 0);
  }

  /** Names of the sensors, in the order of their numbers. */
  get sensors(): readonly string[] {
    return this.#about.sensors;
  }

  /** The rows as `search` goes through them; nothing is in memory before the first search. */
  get index(): StoreIndex {
    this.#index ??= new StoreIndex(this.folder, this.dim);
    return this.#index;
  }

  sensorName(index: number): string {
    return this.#about.sensors[index] ?? "unknown";
  }

  /** Takes an embedding; it is on disk after the next `flush`, which comes by itself with every 64th. Throws `SPACE_MISMATCH` for one of another space. */
  add(embedding: Embedding): void {
    sameSpace(this.space, embedding.space);
    this.#waiting.push(embedding);
    if (this.#waiting.length >= group) this.flush();
  }

  /** Writes what was added, seals full segments, and gives up what exceeds the bounds. */
  flush(): void {
    const rows = this.#waiting.map(({ sensor, modality, seq, from, to, vector }) => ({
      row: { sensor: this.#sensor(sensor), modality, seq, from, to },
      vector,
    }));
    this.#waiting = [];
    const most = Math.max(1, Math.floor(this.#limits.segmentBytes / (this.dim * 4)));
    for (let at = 0; at < rows.length; ) {
      const segment = this.#open(most);
      const some = rows.slice(at, at + most - segment.count);
      segment.append(some);
      at += some.length;
    }
    this.#prune();
  }

  /** The segment being written; a new one when the last is full. */
  #open(most: number): Segment {
    const last = this.#segments.at(-1);
    if (last && last.count < most) return last;
    if (last) this.onSealed?.();
    const number = last ? Number(last.path.slice(-8)) + 1 : 1;
    const segment = Segment.open(join(this.folder, String(number).padStart(8, "0")), this.dim);
    this.#segments.push(segment);
    return segment;
  }

  #sensor(name: string): number {
    const known = this.#about.sensors.indexOf(name);
    if (known >= 0) return known;
    this.#about = { ...this.#about, sensors: [...this.#about.sensors, name] };
    save(join(this.folder, "store.json"), this.#about);
    return this.#about.sensors.length - 1;
  }

  #prune(): void {
    const newest = (segment: Segment): Micros => segment.row(segment.count - 1).to;
    const full = this.#segments.filter((segment) => segment.count > 0);
    const now = full.length === 0 ? 0 : Math.max(...full.map(newest));
    let bytes = full.reduce((sum, segment) => sum + segment.bytes, 0);
    for (const segment of full.slice(0, -1)) {
      if (bytes <= this.#limits.maxBytes && now - newest(segment) <= this.#limits.maxAge) break;
      bytes -= segment.bytes;
      segment.remove();
      this.#segments = this.#segments.filter((other) => other !== segment);
    }
  }
}

/** Written beside and renamed, so that a crash leaves the old or the new file, never half of one. */
function save(path: string, about: About): void {
  writeFileSync(`${path}.new`, JSON.stringify(about), { flush: true });
  renameSync(`${path}.new`, path);
}

function parse(path: string): About {
  try {
    return About.parse(JSON.parse(readFileSync(path, "utf8")));
  } catch (cause) {
    throw new SenseError("BAD_STORE", `${path} does not describe a store of embeddings`, {
      hint: "Name another folder, or remove this one.",
      cause,
    });
  }
}
