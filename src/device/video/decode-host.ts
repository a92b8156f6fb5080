import { isSenseError, SenseError } from "../../core/errors.js";
import type { Frame } from "../../core/reading.js";
import { type Micros, ms, s } from "../../core/time.js";
import { Backlog } from "../backlog.js";
import { type Child, startChild } from "../child.js";
import type { DeviceContext } from "../define.js";
import { FramecrcReader } from "../framecrc.js";
import { readingOf } from "../media-format.js";
import { pause } from "../pause.js";
import { taggedData } from "../tagged.js";
import { type Decoder, type FrameSize, findDecoder } from "./decoder.js";
import { isKeyUnit, parameterSets } from "./h264.js";
import { ivfFrame, ivfHead } from "./ivf.js";
import type { VideoUnit } from "./unit.js";

export interface DecodeOptions {
  /** `node-webcodecs`, `ffmpeg`, `v4l2m2m`, or the name of any H.264 decoder of ffmpeg. */
  readonly decoder: string;
  readonly size?: FrameSize | undefined;
  /** The most pictures a second to pass on; all are decoded, since each needs the one before. */
  readonly fps?: number | undefined;
  /** A recording: the source waits for the decoder. A live one is not waited for: it is joined again at a key frame. */
  readonly ends?: boolean;
}

/** Units that are given and have not come back: more than H.264 may hold back for reordering (16). */
const mostPending = 32;
/** A decoder that holds back more than that and gives nothing for so long is frozen. */
const suspicious = 16;
const patience = ms(1500);
const firstBackoff = ms(250);
const longestBackoff = s(8);
/** Deaths in a row, without a single picture between, after which the fault is not the decoder's. */
const mostDeaths = 5;

/**
 * Decodes a stream of H.264 in a process of its own, which may die or freeze: it is started again with a growing pause and goes on at the
 * next key frame; what was lost is counted in `lost`. `open` gives the stream; it is told to stop by the signal.
 * Throws what the stream throws, `TOOL_MISSING`, and `DEVICE_FAILED` where the decoder dies again and again.
 */
export async function* decodeVideo(
  open: (context: DeviceContext) => AsyncIterable<VideoUnit>,
  options: DecodeOptions,
  context: DeviceContext,
): AsyncGenerator<Frame> {
  const { decoder, instead } = await findDecoder(options.decoder);
  const { tell = () => {}, log } = context;
  tell({ decoder: instead === undefined ? decoder.name : `${decoder.name}, as ${options.decoder} cannot: ${instead}` });
  if (instead !== undefined)
    log.warn({ decoder: options.decoder, instead: decoder.name, reason: instead }, "decoder replaced");
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal]);
  await using host = new DecodeHost(decoder, options, { ...context, tell });
  const pumping = host.pump(open({ ...context, signal }), signal);
  try {
    let due = Number.NEGATIVE_INFINITY;
    for await (const frame of host.frames) {
      if (options.fps === undefined) yield frame;
      else if (frame.time >= due) {
        yield frame;
        // On a grid, not from the frame: 25 a second thinned to 10 would be 8.3 else.
        const period = 1e6 / options.fps;
        due = frame.time >= due + period ? frame.time + period : due + period;
      }
    }
  } finally {
    stop.abort();
    host.frames.close();
    await pumping;
  }
}

interface HostContext extends DeviceContext {
  readonly tell: NonNullable<DeviceContext["tell"]>;
}

interface Running {
  readonly child: Child;
  /** Resolves when it has ended, and its end been dealt with. */
  readonly drained: Promise<void>;
  /** Makes it end. */
  readonly stop: AbortController;
}

class DecodeHost implements AsyncDisposable {
  readonly frames = new Backlog<Frame>({ delivery: "all", capacity: 8, bytes: 2 ** 26 }, ({ data }) => data.byteLength);
  readonly #decoder: Decoder;
  readonly #options: DecodeOptions;
  readonly #context: HostContext;
  #running: Running | undefined;
  #finishing = false;
  /** Event times of the units that the decoder has, by their number. */
  readonly #pending = new Map<number, Micros>();
  #next = 0;
  #sets: Uint8Array | undefined;
  #atKey = false;
  #deaths = 0;
  #failure: SenseError | undefined;
  #notBefore = 0;
  #heard = 0;
  #counts = { lost: 0, corrupt: 0 };
  #room = (): void => {};

  constructor(decoder: Decoder, options: DecodeOptions, context: HostContext) {
    this.#decoder = decoder;
    this.#options = options;
    this.#context = context;
  }

  /** Hands the units over until they end, and waits for the last pictures. */
  async pump(units: AsyncIterable<VideoUnit>, signal: AbortSignal): Promise<void> {
    const watch = setInterval(() => this.#check(), 250);
    signal.addEventListener("abort", () => this.#room(), { once: true });
    try {
      for await (const unit of units) {
        if (signal.aborted) break;
        await this.#offer(unit, signal);
      }
      if (!signal.aborted) await this.#finish();
      this.frames.close();
    } catch (error) {
      this.frames.close(error);
    } finally {
      clearInterval(watch);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#running?.stop.abort();
    await this.#running?.child[Symbol.asyncDispose]();
  }

  async #offer({ data, time }: VideoUnit, signal: AbortSignal): Promise<void> {
    this.#sets = parameterSets(data) ?? this.#sets;
    const key = isKeyUnit(data);
    if (!this.#atKey && !key) return this.#lose(1);
    if (this.#pending.size >= mostPending && !(await this.#makeRoom(signal))) return;
    const wait = this.#running ? 0 : this.#notBefore - performance.now();
    if (wait > 0 && !this.#options.ends) return this.#lose(1);
    if (wait > 0) await pause(ms(wait), signal);
    if (signal.aborted) return;
    // A decoder that died while there was no room: what comes now may need what it took along.
    if (!this.#atKey && !key) return this.#lose(1);
    this.#running ??= this.#start();
    const { child } = this.#running;
    // Cameras may send their parameter sets once only, and this decoder may be the second.
    const whole = key && !this.#atKey && this.#sets && !parameterSets(data) ? Buffer.concat([this.#sets, data]) : data;
    this.#atKey = true;
    if (this.#pending.size === 0) this.#heard = performance.now();
    this.#pending.set(this.#next, time);
    child.input?.write(ivfFrame(this.#next++, whole));
  }

  /** False where a live source must not wait: it is left until its next key frame. */
  async #makeRoom(signal: AbortSignal): Promise<boolean> {
    if (!this.#options.ends) {
      this.#atKey = false;
      this.#lose(1);
      return false;
    }
    while (this.#pending.size >= mostPending && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#room = resolve;
      });
    }
    return !signal.aborted;
  }

  #start(): Running {
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#context.signal, stop.signal]);
    const { hint } = this.#decoder;
    const child = startChild(this.#decoder.command(this.#options.size), { signal, hint, input: true });
    child.input?.write(ivfHead());
    this.#heard = performance.now();
    const drained = this.#drain(child).then(
      () => undefined,
      (error: unknown) => error,
    );
    return { child, stop, drained: drained.then((why) => this.#died(why, stop.signal)) };
  }

  /** The pictures that come back, until the decoder ends. */
  async #drain(child: Child): Promise<void> {
    const reader = new FramecrcReader("rgb8");
    const parse = (line: string) => {
      if (line.startsWith("#corrupt")) this.#tell({ corrupt: 1 });
      return reader.read(line);
    };
    for await (const { tag, data } of taggedData({ lines: child.stdout, data: child.data }, parse)) {
      this.#heard = performance.now();
      this.#deaths = 0;
      const number = Math.round(tag.time ?? -1);
      const time = this.#pending.get(number);
      this.#pending.delete(number);
      this.#forget(number - suspicious);
      this.#room();
      const { format } = reader;
      if (time === undefined || format.kind !== "frame") continue;
      await this.frames.put(readingOf(format, data, { modality: "vision", time }) as Frame);
      this.#heard = performance.now();
    }
    await child.ended();
  }

  /** Units up to this number come no more: no stream reorders so far. */
  #forget(last: number): void {
    for (const number of this.#pending.keys()) {
      if (number > last) break;
      this.#pending.delete(number);
      this.#lose(1);
    }
  }

  #died(why: unknown, told: AbortSignal): void {
    this.#running = undefined;
    this.#atKey = false;
    this.#lose(this.#pending.size);
    this.#pending.clear();
    this.#room();
    // A frozen one was stopped by us, and is dead as any other; the whole host is told by its context.
    if (this.#context.signal.aborted || (this.#finishing && why === undefined)) return;
    if (isSenseError(why, "TOOL_MISSING")) {
      this.frames.close(why);
      return;
    }
    const ended = why instanceof Error ? why.message : "it ended of itself";
    const reason = told.aborted ? `gave nothing for ${patience / 1e6} s` : ended;
    this.#context.log.warn({ decoder: this.#decoder.name, reason }, "decoder died");
    this.#notBefore = performance.now() + Math.min(firstBackoff * 2 ** this.#deaths, longestBackoff) / 1e3;
    this.#deaths += 1;
    this.#failure = new SenseError(
      "DEVICE_FAILED",
      `the decoder ${this.#decoder.name} died ${this.#deaths} times in a row: ${reason}`,
      { hint: "Choose another with `decoder`.", cause: why },
    );
    if (this.#deaths >= mostDeaths) this.frames.close(this.#failure);
  }

  #check(): void {
    const silent = performance.now() - this.#heard;
    const waits = this.#pending.size > suspicious && !this.frames.blocked;
    if (waits && silent > patience / 1e3) this.#running?.stop.abort();
  }

  async #finish(): Promise<void> {
    this.#finishing = true;
    this.#running?.child.input?.end();
    await this.#running?.drained;
    // The last that started never gave a picture.
    if (this.#deaths > 0) throw this.#failure;
  }

  #lose(count: number): void {
    if (count > 0) this.#tell({ lost: count });
  }

  #tell({ lost = 0, corrupt = 0 }: { readonly lost?: number; readonly corrupt?: number }): void {
    this.#counts = { lost: this.#counts.lost + lost, corrupt: this.#counts.corrupt + corrupt };
    this.#context.tell(this.#counts);
  }
}
