import type { Embedding } from "../core/embedding.js";
import { type ErrorCode, isSenseError, type SenseError } from "../core/errors.js";
import type { EncodedFrame, Frame, SensorReading } from "../core/reading.js";
import { mapAhead } from "../core/stream.js";
import type { Duration, Micros } from "../core/time.js";
import type { WindowQuality } from "../core/window.js";
import { decodeImage, toRgb } from "../device/decode/sharp.js";
import type { Bundle } from "../encoder/bundle.js";
import type { HotBundle } from "../encoder/hot-bundle.js";
import type { Cut, SlideCounters } from "../window/cut.js";
import { faultsOf } from "../window/faults.js";
import { type DecodeFrameOptions, preprocessor } from "../window/preprocess.js";
import { slide } from "../window/slide.js";

/** One sensor of a running flow. */
export interface FlowSensor {
  readonly id: string;
  readonly modality: Embedding["modality"];
  readonly readings: AsyncIterable<SensorReading>;
  readonly window: { readonly length: Duration; readonly hop: Duration };
  readonly coverage: number;
  readonly counters: SlideCounters;
}

/** What became of a window: its place in the space, why it was lost, or that its sensor is not bound to the space yet. */
export type Perceived =
  | {
      readonly kind: "embedding";
      readonly at: Micros;
      readonly embedding: Embedding;
      readonly quality: WindowQuality;
    }
  | { readonly kind: "lost"; readonly at: Micros; readonly sensor: string; readonly error: SenseError }
  | { readonly kind: "unbound"; readonly at: Micros; readonly cut: Cut };

/** What can be wrong with one window while the next one is fine; anything else stops the flow. */
const ofOneWindow: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "BAD_AUDIO",
  "BAD_IMAGE",
  "BAD_TENSOR",
  "RUNTIME_BUSY",
  "RUNTIME_FAILED",
  "WINDOW_GAP",
]);

/** Decodes a frame as a camera sent it. Throws `BAD_IMAGE`. */
export async function decodeFrame(
  { modality, time, data }: EncodedFrame,
  { atLeast }: DecodeFrameOptions,
): Promise<Frame> {
  const picture = await decodeImage(data, { source: "a camera frame", atLeast });
  const { width, height } = picture;
  return { kind: "frame", modality, time, format: "rgb8", width, height, data: toRgb(picture) };
}

/** Windows of one sensor that are preprocessed and encoded at once: one is on the worker while the next is made ready. */
const ahead = 2;

/** Readings of one sensor become windows, windows become embeddings, in the order of time. */
export function perceive(sensor: FlowSensor, bundle: Pick<HotBundle, "hold">): AsyncGenerator<Perceived> {
  const { window, coverage, counters } = sensor;
  const encode = async (cut: Cut, now: Bundle): Promise<Perceived> => {
    const tower = now.manifest.towers[sensor.modality];
    if (tower === undefined) return { kind: "unbound", at: cut.to, cut };
    try {
      const frames: Frame[] = cut.kind === "frames" ? cut.frames.filter((frame) => frame.kind === "frame") : [];
      // Pictures that came encoded are looked at once they are decoded.
      const decode = async (...encoded: Parameters<typeof decodeFrame>): Promise<Frame> => {
        const frame = await decodeFrame(...encoded);
        frames.push(frame);
        return frame;
      };
      const { inputs, quality, ...span } = await preprocessor(tower.preprocess, decode)(cut);
      const faults = faultsOf(cut, frames);
      // A flow that stops finishes the windows it has begun: the last event is not cut short.
      const { vector } = await now.encode(sensor.modality, inputs);
      const embedding = { ...span, space: now.space, vector };
      return { kind: "embedding", at: cut.to, embedding, quality: { ...quality, faults } };
    } catch (error) {
      if (!isSenseError(error) || !ofOneWindow.has(error.code)) throw error;
      counters.skipped++;
      return { kind: "lost", at: cut.to, sensor: sensor.id, error };
    }
  };
  const cuts = slide(sensor.readings, { ...window, coverage, counters, partial: true });
  return mapAhead(cuts, ahead, (cut) => bundle.hold((now) => encode(cut, now.forSensor(sensor.id))));
}
