import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { UnitVector } from "../core/embedding.js";
import { SenseError } from "../core/errors.js";
import type { Modality } from "../core/modality.js";
import type { Manifest, Tower } from "./manifest.js";
import { readManifest } from "./manifest-file.js";
import { type Encoded, meanOf } from "./mean.js";
import { rowsOf, stackRows } from "./rows.js";
import type { Feeds, Runtime, SessionOptions } from "./runtime.js";
import { spaceOf } from "./space-id.js";
import type { Tokenizer } from "./tokenizer/tokenizer.js";
import { LoadedTower } from "./tower.js";
import { VectorCache } from "./vector-cache.js";
import { Words } from "./words.js";

export interface BundleOptions {
  /** How graphs are loaded: execution providers, threads, copies. */
  readonly session?: SessionOptions;
  /** Folder that keeps the vectors of texts, so that the text tower is not loaded for words it has seen. */
  readonly cacheDir?: string;
}

/** Words in the space, as the mean of the sentences they were put into. */
export interface TextEmbedding extends Encoded {
  readonly text: string;
  readonly prompts: readonly { readonly prompt: string; readonly vector: UnitVector }[];
}

/** An open bundle: towers are loaded when they are first used. */
export interface Bundle extends AsyncDisposable {
  readonly dir: string;
  readonly manifest: Manifest;
  /** Id of the space its vectors live in. */
  readonly space: string;
  /** Throws `MODALITY_UNSUPPORTED` for a modality that the bundle has no tower of. */
  tower(modality: Modality): Tower;
  /** The bundle as a sensor has it: its own encoder in the place of its modality's where one was bound for it. */
  forSensor(sensor: string): Bundle;
  /** Loads the encoder of a modality now, so that its first window does not wait for it. */
  load(modality: Modality): Promise<void>;
  /** Encodes the clips of one window; their buffers are taken over. */
  encode(modality: Modality, inputs: Feeds, signal?: AbortSignal): Promise<Encoded>;
  /** Encodes several windows in as few runs as their clips need; their buffers are taken over. */
  encodeAll(modality: Modality, items: readonly Feeds[], signal?: AbortSignal): Promise<readonly Encoded[]>;
  /** Encodes words, put into the sentences of the modality they are to be compared with. */
  encodeText(texts: readonly string[], modality?: Modality, signal?: AbortSignal): Promise<readonly TextEmbedding[]>;
  /** Token ids of texts as the text tower takes them, one row each. */
  tokenize(texts: readonly string[]): Promise<Feeds>;
}

/** Opens a bundle folder. Throws `BAD_BUNDLE`. Single-use: after `dispose` it is gone. */
export async function openBundle(dir: string, runtime: Runtime, options: BundleOptions = {}): Promise<Bundle> {
  const manifest = await readManifest(dir);
  return new OpenBundle(dir, manifest, { ...options, runtime, loaded: new Map() });
}

interface Parts extends BundleOptions {
  readonly runtime: Runtime;
  /** Encoders by their place in the manifest's data: a bundle and what its sensors have of it share them. */
  readonly loaded: Map<Tower, Promise<LoadedTower>>;
  readonly words?: Words;
}

class OpenBundle implements Bundle {
  readonly dir: string;
  readonly manifest: Manifest;
  readonly space: string;
  readonly #parts: Parts;
  readonly #ofSensors = new Map<string, Bundle>();
  readonly #words: Words;
  #tokenizer: Promise<Tokenizer> | undefined;

  constructor(dir: string, manifest: Manifest, parts: Parts) {
    this.dir = dir;
    this.manifest = manifest;
    this.space = spaceOf(manifest);
    this.#parts = parts;
    const { cacheDir, words } = parts;
    this.#words =
      words ??
      new Words({
        load: () => this.#load("text"),
        tokenize: (texts) => this.tokenize(texts),
        cache: cacheDir === undefined ? undefined : new VectorCache(cacheDir, this.space, manifest.dim),
      });
  }

  tower(modality: Modality): Tower {
    const tower = this.manifest.towers[modality];
    if (tower !== undefined) return tower;
    const there = Object.keys(this.manifest.towers).join(", ");
    throw new SenseError("MODALITY_UNSUPPORTED", `bundle ${this.manifest.id} has no ${modality} encoder`, {
      hint: `It has ${there}; choose another bundle, or bind the sensor with \`sensebind calibrate\`.`,
    });
  }

  forSensor(sensor: string): Bundle {
    const known = this.#ofSensors.get(sensor);
    const { sensors = {}, towers } = this.manifest;
    if (known !== undefined || !Object.hasOwn(sensors, sensor)) return known ?? this;
    const { modality, training, ...tower } = sensors[sensor]!;
    const manifest: Manifest = {
      ...this.manifest,
      towers: { ...towers, [modality]: tower },
      ...(training && { training: { ...this.manifest.training, [modality]: training } }),
    };
    const own = new OpenBundle(this.dir, manifest, { ...this.#parts, words: this.#words });
    this.#ofSensors.set(sensor, own);
    return own;
  }

  async load(modality: Modality): Promise<void> {
    await this.#loaded(modality);
  }

  async encode(modality: Modality, inputs: Feeds, signal?: AbortSignal): Promise<Encoded> {
    const { rawScale } = this.tower(modality);
    return meanOf(await (await this.#loaded(modality)).rows(inputs, signal), rawScale);
  }

  async encodeAll(modality: Modality, items: readonly Feeds[], signal?: AbortSignal): Promise<readonly Encoded[]> {
    if (items.length === 0) return [];
    const { rawScale } = this.tower(modality);
    const counts = items.map(rowsOf);
    const rows = await (await this.#loaded(modality)).rows(stackRows(items), signal);
    const ends = counts.map((_, i) => counts.slice(0, i + 1).reduce((sum, count) => sum + count));
    return counts.map((count, i) => meanOf(rows.slice(ends[i]! - count, ends[i]), rawScale));
  }

  async encodeText(
    texts: readonly string[],
    modality: Modality = "text",
    signal?: AbortSignal,
  ): Promise<readonly TextEmbedding[]> {
    const { prompts } = this.tower(modality);
    const { rawScale } = this.tower("text");
    const sentences = (text: string) => prompts.map((prompt) => prompt.replaceAll("{}", () => text));
    const vectors = await this.#words.encode(texts.flatMap(sentences), signal);
    return texts.map((text) => {
      const said = sentences(text).map((prompt) => ({ prompt, vector: vectors.get(prompt)! }));
      const rows = said.map(({ vector }) => vector);
      return { text, prompts: said, ...meanOf(rows, rawScale) };
    });
  }

  async tokenize(texts: readonly string[]): Promise<Feeds> {
    const { preprocess } = this.tower("text");
    if (preprocess.kind !== "text") {
      throw new SenseError("BAD_BUNDLE", `towers.text of ${this.dir} has a recipe for ${preprocess.kind}`, {
        hint: "Give it a recipe of kind text: `sensebind schema manifest`.",
      });
    }
    // Loaded when a word is first encoded: most runs of a pipeline find theirs in the cache.
    this.#tokenizer ??= import("./tokenizer/tokenizer.js").then(({ openTokenizer }) =>
      openTokenizer(preprocess, (file: string) => readFile(join(this.dir, file))),
    );
    return (await this.#tokenizer).encode(texts);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const towers = await Promise.allSettled(this.#parts.loaded.values());
    await Promise.all(towers.map((tower) => tower.status === "fulfilled" && tower.value[Symbol.asyncDispose]()));
  }

  /** A tower that could not be loaded is tried again by the next call. */
  async #loaded(modality: Modality): Promise<LoadedTower> {
    const { loaded } = this.#parts;
    const tower = this.tower(modality);
    const loading = loaded.get(tower) ?? this.#load(modality);
    loaded.set(tower, loading);
    try {
      return await loading;
    } catch (error) {
      loaded.delete(tower);
      throw error;
    }
  }

  #load(modality: Modality): Promise<LoadedTower> {
    const { runtime, session = {} } = this.#parts;
    return LoadedTower.load(this.tower(modality), runtime, { dir: this.dir, dim: this.manifest.dim, session });
  }
}
