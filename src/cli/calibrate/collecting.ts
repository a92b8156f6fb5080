import type { Anchor, Sensed } from "../../align/pairs/pair.js";
import { Scenes } from "../../align/pairs/scenes.js";
import type { Embedding } from "../../core/embedding.js";
import { isSenseError } from "../../core/errors.js";
import type { Recipe } from "../../core/recipe.js";
import { type Duration, type Micros, micros } from "../../core/time.js";
import type { WindowQuality } from "../../core/window.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Span } from "../../pipeline/unbound.js";
import type { Cut } from "../../window/cut.js";
import { asInput, frozenVector } from "./frozen.js";
import { middle, recipeOf, sensedIn } from "./gathered.js";

/** What is kept of each side at most; more give way, the oldest first. */
const most = 4_000;
/** Windows that wait to be made ready; more are left out. */
const mostWaiting = 32;

export interface CollectingOptions {
  /** How the sensor's stream is cut. */
  readonly span: Span;
  readonly duration: Duration;
  /** Encodes the windows of a sensor that has no encoder of its own. */
  readonly lent?: Bundle | undefined;
  readonly signal: AbortSignal;
  /** Bytes that the windows may take. */
  readonly room: number;
}

/** What a sensor and its camera gave so far, beside a running flow. */
export class Collecting {
  readonly windows: Sensed[] = [];
  readonly anchors: Anchor[] = [];
  /** Windows that could not be used. */
  spoilt = 0;
  /** How the sensor's windows become inputs; unset for one whose windows come as vectors of its encoder. */
  recipe: Recipe | undefined;
  readonly #names: { readonly sensor: string; readonly camera: string };
  readonly #scenes = new Scenes();
  readonly #options: CollectingOptions;
  /** First and last event time of each side. */
  readonly #spans = new Map<string, { from: Micros; to: Micros }>();
  #work: Promise<void> = Promise.resolve();
  #waiting = 0;

  constructor(names: { readonly sensor: string; readonly camera: string }, options: CollectingOptions) {
    this.#names = names;
    this.#options = options;
  }

  /** Whether the windows are vectors: of the sensor's own encoder, or of the one that is lent to it. */
  get encoded(): boolean {
    return this.recipe === undefined || this.#options.lent !== undefined;
  }

  /** Share of the time for which both have been watched, by the event times of what came; 0..1. */
  get done(): number {
    const spans = [...this.#spans.values()];
    if (spans.length < 2) return 0;
    const both = Math.min(...spans.map(({ to }) => to)) - Math.max(...spans.map(({ from }) => from));
    return Math.min(1, Math.max(0, both / this.#options.duration));
  }

  /** Distinct scenes that the camera has seen. */
  get scenes(): number {
    return this.#scenes.count;
  }

  get pairs(): number {
    return Math.min(this.windows.length, this.anchors.length);
  }

  embedding({ sensor, from, to, vector }: Embedding, quality?: WindowQuality): void {
    if (sensor !== this.#names.sensor && sensor !== this.#names.camera) return;
    const time = this.#at(sensor, { from, to });
    if (sensor === this.#names.camera) {
      this.#scenes.add(vector);
      // A covered lens, as the flow has seen it: the gate counts how often.
      const isDark = quality?.faults?.includes("dark") ?? false;
      keep(this.anchors, { time, vector, ...(quality && { light: isDark ? 0 : 1 }) }, most);
    } else keep(this.windows, { time, input: { dims: [1, vector.length], data: vector } }, most);
  }

  /** A window of a sensor that has no encoder. Throws `MODALITY_UNSUPPORTED` where none can be learned from nothing. */
  window(cut: Cut): void {
    if (cut.sensor !== this.#names.sensor) return;
    const { span, lent, signal, room } = this.#options;
    const { modality } = cut;
    this.recipe ??= lent?.tower(modality).preprocess ?? recipeOf(cut, span);
    const { recipe } = this;
    this.#at(cut.sensor, cut);
    if (this.#waiting >= mostWaiting) {
      this.spoilt += 1;
      return;
    }
    this.#waiting += 1;
    this.#work = this.#work.then(async () => {
      this.#waiting -= 1;
      if (signal.aborted) return;
      const sensed = await this.#ready(cut, recipe).catch((error: unknown) => this.#leftOut(cut, error));
      keep(this.windows, sensed, Math.min(most, Math.floor(room / sensed.input.data.byteLength)));
    });
    // Whoever waits for `ready` is told.
    this.#work.catch(() => {});
  }

  /** Resolves when every window that came is ready. Rejects with what stopped that. */
  ready(): Promise<void> {
    return this.#work;
  }

  async #ready(cut: Cut, recipe: Recipe): Promise<Sensed> {
    const { lent, signal } = this.#options;
    const felt = await sensedIn(cut, recipe);
    if (lent === undefined) return felt;
    const { modality } = cut;
    return { ...felt, input: asInput(await frozenVector(lent, felt.input, { modality, recipe, signal })) };
  }

  /** One bad window is not the end: NaN in its place, which the gate counts. */
  #leftOut(cut: Cut, error: unknown): Sensed {
    if (!isSenseError(error)) throw error;
    this.spoilt += 1;
    return { time: middle(cut), input: asInput(undefined) };
  }

  /** The middle of a window. */
  #at(sensor: string, { from, to }: { readonly from: Micros; readonly to: Micros }): Micros {
    const time = micros((from + to) / 2);
    this.#spans.set(sensor, { from: this.#spans.get(sensor)?.from ?? time, to: time });
    return time;
  }
}

function keep<T>(all: T[], one: T, limit: number): void {
  all.push(one);
  if (all.length > limit) all.shift();
}
