import { stuffedBytes } from "./cobs.js";
import { decodeFrame, type FrameContent } from "./frame.js";
import { type FirmwareSchema, frameBytes } from "./schema.js";

export interface DeframeCounts {
  /** Frames that the sequence numbers say were sent and that did not arrive intact. */
  readonly lost: number;
  /** Stretches between zeros that were no intact frame. */
  readonly corrupt: number;
  /** Frames that came twice. */
  readonly duplicates: number;
  /** How often the device began to count anew. */
  readonly restarts: number;
}

/** Longest stretch without a zero that is kept, in frames: beyond it, the line is noise. */
const keptFrames = 16;
/** So many frames back a repetition is recognised. */
const remembered = 1024;

/**
 * Finds the intact frames in a stream of bytes that may be cut, merged, changed, repeated or lost anywhere, and counts what is
 * missing by the sequence numbers.
 */
export class Deframer {
  readonly #schema: FirmwareSchema;
  readonly #control: FirmwareSchema | undefined;
  readonly #kept: Uint8Array;
  #answers: FrameContent[] = [];
  #length = 0;
  #overflowed = false;
  readonly #recent = new Set<number>();
  #last: { seq: number; time: number } | undefined;
  #counts = { lost: 0, corrupt: 0, duplicates: 0, restarts: 0 };

  /** `control`: a second schema whose frames may stand between the others; they are not numbered with them. */
  constructor(schema: FirmwareSchema, control?: FirmwareSchema) {
    this.#schema = schema;
    this.#control = control;
    this.#kept = new Uint8Array(keptFrames * stuffedBytes(frameBytes(schema)));
  }

  get counts(): DeframeCounts {
    return { ...this.#counts };
  }

  /** The frames of the control schema since the last call. */
  takeAnswers(): readonly FrameContent[] {
    const answers = this.#answers;
    this.#answers = [];
    return answers;
  }

  /** The new frames that these bytes complete. */
  push(bytes: Uint8Array): FrameContent[] {
    const found: FrameContent[] = [];
    for (let from = 0; from < bytes.length; ) {
      const zero = bytes.indexOf(0, from);
      const end = zero === -1 ? bytes.length : zero;
      this.#keep(bytes.subarray(from, end));
      if (zero !== -1) this.#close(found);
      from = end + 1;
    }
    return found;
  }

  #keep(part: Uint8Array): void {
    const room = this.#kept.length - this.#length;
    if (part.length > room) this.#overflowed = true;
    // Of too much, the end may still be a frame.
    const fits = part.subarray(Math.max(0, part.length - this.#kept.length));
    if (fits.length > room) {
      this.#kept.copyWithin(0, fits.length - room, this.#length);
      this.#length -= fits.length - room;
    }
    this.#kept.set(fits, this.#length);
    this.#length += fits.length;
  }

  #close(found: FrameContent[]): void {
    const stretch = this.#kept.subarray(0, this.#length);
    if (stretch.length > 0) {
      const frame = this.#overflowed ? undefined : decodeFrame(this.#schema, stretch);
      const answer = frame || !this.#control ? undefined : decodeFrame(this.#control, stretch);
      if (frame) this.#take(frame, found);
      else if (answer) this.#answers.push(answer);
      else {
        this.#counts.corrupt += 1;
        this.#search(stretch, found);
      }
    }
    this.#length = 0;
    this.#overflowed = false;
  }

  /** Intact frames that lost bytes (the zero between them among these) have merged with their neighbours. */
  #search(stretch: Uint8Array, found: FrameContent[]): void {
    const { number, version } = this.#schema;
    const longest = stuffedBytes(frameBytes(this.#schema));
    const shortest = frameBytes(this.#schema) + 1;
    for (let from = 0; from + shortest <= stretch.length; ) {
      let to = from + shortest;
      let frame: FrameContent | undefined;
      // Neither is zero, so both stand unchanged after the first code byte; looking costs less than decoding.
      const likely = stretch[from + 1] === number && stretch[from + 2] === version;
      for (; likely && !frame && to <= Math.min(from + longest, stretch.length); to++) {
        frame = decodeFrame(this.#schema, stretch.subarray(from, to));
      }
      if (frame) this.#take(frame, found);
      from = frame ? to - 1 : from + 1;
    }
  }

  #take(frame: FrameContent, found: FrameContent[]): void {
    const { seq, time } = frame;
    const key = seq * 2 ** 32 + time;
    if (this.#recent.has(key)) {
      this.#counts.duplicates += 1;
      return;
    }
    this.#recent.add(key);
    if (this.#recent.size > remembered) this.#recent.delete(this.#recent.values().next().value!);
    if (this.#last) {
      const step = (seq - this.#last.seq) & 0xffff;
      const back = ((time - this.#last.time) | 0) < 0;
      if (back || step === 0) this.#counts.restarts += 1;
      else this.#counts.lost += step - 1;
    }
    this.#last = { seq, time };
    found.push(frame);
  }
}
