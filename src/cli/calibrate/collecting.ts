import type { Anchor, Sensed } from "../../align/pairs/pair.js";
import { Scenes } from "../../align/pairs/scenes.js";
import type { Embedding } from "../../core/embedding.js";
import { isSenseError } from "../../core/errors.js";
import type { Recipe } from "../../core/recipe.js";
import { type Duration, type Micros, micros } from "../../core/time.js";
import type { Bundle } from "../../encoder/bundle.js";
import type { Span } from "../../pipeline/unbound.js";
import type { Cut } from "../../window/cut.js";
import { asInput, frozenVector } from "./frozen.js";
import { recipeOf, sensedIn } from "./gathered.js";

/** What is kept of each side at most; more give way, the oldest first. */
const most = { count: 20_000, bytes: 256 * 2 ** 20 };

export interface CollectingOptions {
  /** How the sensor's stream is cut. */
  readonly span: Span;
  readonly duration: Duration;
  /** Encodes the windows of a sensor that has no encoder of its own. */
  readonly lent?: Bundle | undefined;
  readonly signal: AbortSignal;
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

  embedding({ sensor, from, to, vector }: Embedding): void {
    if (sensor !== this.#names.sensor && sensor !== this.#names.camera) return;
    const time = this.#at(sensor, { from, to });
    if (sensor === this.#names.camera) {
      this.#scenes.add(vector);
      keep(this.anchors, { time, vector }, most.count);
    } else keep(this.windows, { time, input: { dims: [1, vector.length], data: vector } }, most.count);
  }

  /** A window of a sensor that has no encoder. Throws `MODALITY_UNSUPPORTED` where none can be learned from nothing. */
  window(cut: Cut): void {
    if (cut.sensor !== this.#names.sensor) return;
    const { span, lent, signal } = this.#options;
    const { modality } = cut;
    this.recipe ??= lent?.tower(modality).preprocess ?? recipeOf(cut, span);
    const { recipe } = this;
    this.#at(cut.sensor, cut);
    this.#work = this.#work.then(async () => {
      const felt = await sensedIn(cut, recipe).catch((error: unknown) => this.#leftOut(error));
      if (felt === undefined || signal.aborted) return;
      const { time, input } = felt;
      const sensed =
        lent === undefined
          ? felt
          : { time, input: asInput(await frozenVector(lent, input, { modality, recipe, signal })) };
      keep(this.windows, sensed, Math.min(most.count, Math.floor(most.bytes / sensed.input.data.byteLength)));
    });
    // Whoever waits for `ready` is told.
    this.#work.catch(() => {});
  }

  /** Resolves when every window that came is ready. Rejects with what stopped that. */
  ready(): Promise<void> {
    return this.#work;
  }

  /** One bad window is not the end: a frame may be damaged on its way. */
  #leftOut(error: unknown): undefined {
    if (!isSenseError(error)) throw error;
    this.spoilt += 1;
    return undefined;
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
